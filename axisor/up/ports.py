"""The five consecutive ports, all on 127.0.0.1, that one setting moves together."""

import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from axisor.env import InvalidEnvironment
from axisor.up.errors import CannotStart

DEFAULT = 8000
LOWEST, HIGHEST = 1024, 65531
PATIENCE_SECONDS = 2
"""How long a port may stay taken: processes of a run that was killed need a moment to end."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each part listens, counted from `web`."""

    web: int

    @property
    def paper(self) -> int:
        """The paper exchange."""
        return self.web + 1

    @property
    def flower(self) -> int:
        """Flower."""
        return self.web + 2

    @property
    def postgres(self) -> int:
        """The embedded PostgreSQL."""
        return self.web + 3

    @property
    def valkey(self) -> int:
        """The embedded Valkey."""
        return self.web + 4

    @property
    def web_url(self) -> str:
        """The address of the web process."""
        return f"http://127.0.0.1:{self.web}"

    @property
    def paper_url(self) -> str:
        """The address of the paper exchange's REST API."""
        return f"http://127.0.0.1:{self.paper}/v3"

    @property
    def flower_url(self) -> str:
        """The address of Flower."""
        return f"http://127.0.0.1:{self.flower}"


def read(variables: Mapping[str, str]) -> Ports:
    """Read AXISOR_PORT.

    Raises:
        InvalidEnvironment: it is not a whole number that leaves room for five ports.
    """
    value = variables.get("AXISOR_PORT") or str(DEFAULT)
    if not value.isascii() or not value.isdigit() or not LOWEST <= int(value) <= HIGHEST:
        raise InvalidEnvironment(
            f"AXISOR_PORT must be a whole number from {LOWEST} to {HIGHEST}: it is the first of the"
            " five consecutive ports that `make run` uses."
        )
    return Ports(int(value))


def refuse_taken(ports: Ports, names: Iterable[str]) -> None:
    """Raise `CannotStart` if something listens where one of the named parts would."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    for name in names:
        port = getattr(ports, name)
        while _is_taken(port):
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"Port {port}, where {name} would listen, is in use. Stop what uses it, or set"
                    " AXISOR_PORT to the first of five other consecutive ports, for instance"
                    f" `AXISOR_PORT={_elsewhere(ports.web)} make run`."
                )
            time.sleep(0.1)


def _is_taken(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return True
    return False


def _elsewhere(port: int) -> int:
    """Return the next multiple of a hundred from which five ports are free."""
    above = range(port - port % 100 + 100, HIGHEST, 100)
    below = range(LOWEST - LOWEST % 100 + 100, port, 100)
    free = (base for base in [*above, *below] if not any(map(_is_taken, range(base, base + 5))))
    return next(free, DEFAULT)
