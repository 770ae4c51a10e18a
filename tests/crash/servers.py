"""PostgreSQL and Valkey, which serve every run."""

import base64
import os
import secrets
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

import django
import psycopg
import redis
from psycopg import sql

from axisor.up.postgres import Postgres
from axisor.up.site import ROOT
from axisor.up.valkey import Valkey
from tests.crash.evidence import watch
from tests.crash.programs import MANAGE, Program
from tests.servers import free_port

SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "track_commit_timestamp": "on",
}
"""The machine itself does not fail here, so nothing has to reach its disk; but what is committed
must survive PostgreSQL's own death, so commits stay synchronous. They are dated for the judge."""


class Servers:
    """One PostgreSQL with a migrated database to copy, and one Valkey."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        password = secrets.token_urlsafe(12)
        self.postgres = Postgres(folder / "postgres", free_port(), password, SETTINGS, False)
        self.valkey = Valkey(folder / "valkey", free_port(), password)
        path = {"PATH": os.environ.get("PATH", os.defpath)}
        self.programs = {
            name: Program(name, server.command(), path, folder / f"{name}.log", server.answers)
            for name, server in (("postgres", self.postgres), ("valkey", self.valkey))
        }
        self._secrets = {
            "AXISOR_SECRET_KEY": secrets.token_urlsafe(48),
            "AXISOR_VAULT_KEYS": f"crash:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        }
        self._copies = 0

    def start(self) -> None:
        """Start both, migrate the database and watch it."""
        self.postgres.prepare()
        self.valkey.prepare()
        for program in self.programs.values():
            program.start()
        for program in self.programs.values():
            program.await_ready()
        subprocess.run(
            [*MANAGE, "migrate", "--verbosity=0"],
            cwd=ROOT,
            env=self.environment(self.postgres.url),
            check=True,
        )
        watch(self.postgres.url)

    def stop(self) -> None:
        """End both."""
        self.programs["valkey"].stop(signal.SIGTERM)
        self.programs["postgres"].stop(signal.SIGINT)

    def fresh_database(self) -> str:
        """Copy the migrated database and forget all that Valkey holds; gives the copy's name."""
        self._copies += 1
        name = f"run_{self._copies}"
        with psycopg.connect(
            self.postgres.url.rpartition("/")[0] + "/postgres", autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE axisor")
        with self.redis() as client:
            client.flushall()
        return name

    def set_up_django(self) -> None:
        """Let this process use the platform's code, on the database that runs are copied from."""
        os.environ.update(self.environment(self.postgres.url))
        django.setup()

    def drop(self, database: str, constraints: Iterable[tuple[str, str]]) -> None:
        """Take constraints, as pairs of table and name, off a database."""
        url = self.postgres.url.rpartition("/")[0] + f"/{database}"
        with psycopg.connect(url) as connection:
            for table, name in constraints:
                where = (sql.Identifier(table), sql.Identifier(name))
                connection.execute(
                    sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}").format(*where)
                )
                connection.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(where[1]))

    def redis(self) -> redis.Redis:
        """A client of the broker."""
        return redis.Redis.from_url(self.valkey.url, socket_timeout=2)

    def environment(self, database: str, **more: str) -> dict[str, str]:
        """What a process of the platform needs to know."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **kept,
            **self._secrets,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "tests.crash.settings",
            "DATABASE_URL": database,
            "REDIS_URL": self.valkey.url,
            **more,
        }
