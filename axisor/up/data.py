"""The data folder: who may use it, the secrets made in it once, and what is said in `run.json`."""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from axisor.up.errors import CannotStart
from axisor.up.secrets import Secrets

NEEDED_MEGABYTES = 300


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Everything `make run` keeps between two starts, readable by its owner only."""

    path: Path

    @property
    def run_file(self) -> Path:
        """Addresses and logins as JSON: written when every part answers, removed on stop."""
        return self.path / "run.json"

    @property
    def credentials_file(self) -> Path:
        """The operator's login, for the command that makes the user."""
        return self.path / "operator.json"

    @property
    def logs(self) -> Path:
        """One file per part."""
        return self.path / "logs"

    @property
    def metrics(self) -> Path:
        """Where the processes of a run collect their metrics."""
        return self.path / "metrics"

    def empty_metrics(self) -> None:
        """Make the folder of the metrics, without those of earlier runs."""
        shutil.rmtree(self.metrics, ignore_errors=True)
        self.metrics.mkdir(mode=0o700)

    @contextlib.contextmanager
    def held(self, web: str) -> Iterator[None]:
        """Make the folder if need be and hold it for this process; `web` is told to others.

        Raises:
            CannotStart: it cannot be used, or another process holds it.
        """
        self._make()
        with (self.path / "lock").open("a+") as lock:
            self._lock(lock.fileno())
            lock.truncate(0)
            lock.write(json.dumps({"pid": os.getpid(), "web": web}))
            lock.flush()
            self.withdraw()
            try:
                yield
            finally:
                self.withdraw()

    def secrets(self) -> Secrets:
        """Return the secrets, made the first time.

        Raises:
            CannotStart: the file is unreadable, or missing beside data that needs it.
        """
        file = self.path / "secrets.json"
        if not file.exists():
            self._refuse_orphaned_data(file)
            self.keep(Secrets())
        return Secrets.load(file)

    def keep(self, secrets: Secrets) -> None:
        """Write the secrets, whole or not at all."""
        self._write(self.path / "secrets.json", secrets.as_json())

    def hand_over(self, username: str, password: str) -> None:
        """Write the operator's login where the seed command reads it."""
        self._write(self.credentials_file, json.dumps({"username": username, "password": password}))

    def publish(self, run: Mapping[str, str]) -> None:
        """Write `run.json`: from now on every part answers."""
        self._write(self.run_file, json.dumps(run, indent=2) + "\n")

    def published(self) -> Mapping[str, str]:
        """Return what `run.json` says of the platform that runs on this folder now.

        Raises:
            CannotStart: none does, or not every part of it answers yet.
        """
        try:
            with (self.path / "lock").open() as lock:
                is_held = _is_held(lock.fileno())
            run: dict[str, str] = json.loads(self.run_file.read_text())
        except (OSError, ValueError):
            raise CannotStart(_idle(self.path)) from None
        if not is_held:  # left by a run that was killed
            raise CannotStart(_idle(self.path))
        return run

    def withdraw(self) -> None:
        """Remove `run.json`: of this run, or of one that was killed."""
        self.run_file.unlink(missing_ok=True)

    def _make(self) -> None:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner = self.path.stat().st_uid
        except FileExistsError:
            raise CannotStart(f"{self.path} is not a folder. {ELSEWHERE}") from None
        except OSError as error:
            raise CannotStart(
                f"The data folder {self.path} cannot be made ({error.strerror}). {ELSEWHERE}"
            ) from None
        if owner != os.geteuid():
            raise CannotStart(
                f"The data folder {self.path} belongs to another user (id {owner}): run as that"
                " user, or point AXISOR_DATA to a folder of your own."
            )
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise CannotStart(f"The data folder {self.path} is not writable. {ELSEWHERE}")
        self._refuse_full_disk()

    def _refuse_full_disk(self) -> None:
        free = shutil.disk_usage(self.path).free // 1_000_000
        if free < NEEDED_MEGABYTES:
            raise CannotStart(
                f"The disk of {self.path} has {free} MB left, and at least {NEEDED_MEGABYTES} MB"
                " are needed: free some space, or point AXISOR_DATA to another disk."
            )

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(_taken(self.path)) from None

    def _refuse_orphaned_data(self, file: Path) -> None:
        if (self.path / "postgres").exists():
            raise CannotStart(
                f"{file} is missing, and the data beside it cannot be opened without it. Put it"
                " back, or move the folder away to start afresh."
            )

    def _write(self, file: Path, text: str) -> None:
        unfinished = file.with_name(file.name + ".unfinished")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(file)


ELSEWHERE = "Remove what is in the way, or point AXISOR_DATA to another folder."


def _is_held(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _idle(path: Path) -> str:
    return (
        f"No platform runs on {path}: start it with `make run` in another terminal and wait until"
        " it says that Axisor is up, or point AXISOR_DATA to the folder of one that runs."
    )


def _taken(path: Path) -> str:
    try:
        holder = json.loads((path / "lock").read_text())
        who = f"as process {holder['pid']}, at {holder['web']}"
    except (OSError, ValueError, KeyError, TypeError):
        who = "and just starting"
    return (
        f"Axisor is already running on {path}, {who}. Use that one, stop it with Ctrl-C in its"
        " terminal, or give this one an AXISOR_DATA and an AXISOR_PORT of its own."
    )
