"""Which SDKs there are, and how each is told where the exchange is."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
INSTALLED = Path(os.environ.get("SDK_FOLDER", ".axisor/sdk")).resolve()
PYTHON_NAMES = {
    "account.get": "account.get_account",
    "stream.hello": "stream.public.hello",
    "stream.ping": "stream.public.ping",
    "stream.time": "stream.public.time",
    "stream.authenticate": "stream.auth.authenticate",
    "stream.whoami": "stream.auth.whoami",
    "stream.subscribe": "stream.subscription.subscribe",
    "stream.unsubscribe": "stream.subscription.unsubscribe",
    "stream.unsubscribeAll": "stream.subscription.unsubscribe_all",
}


@dataclass(frozen=True)
class Address:
    """Where the exchange is: its `origin` in plain HTTP, and the port where it speaks TLS."""

    origin: str
    tls_port: int
    certificate: Path


@dataclass(frozen=True)
class Sdk:
    """`name_of` is what it calls a call; `retries` when it asks again after a 429 or 503."""

    name: str
    command: tuple[str, ...]
    environment: Callable[[Address], Mapping[str, str]]
    name_of: Callable[[str], str] = str
    retries: bool = False


def _in_python(call: str) -> str:
    return PYTHON_NAMES.get(call) or re.sub(r"([A-Z])", r"_\1", call).lower()


def _before_version_2(call: str) -> str:
    return {"futures.getTicker": "futures.getTicket"}.get(call, call)


def _hostname(address: Address) -> Mapping[str, str]:
    """The clients take a host, and always add `https`."""
    return {
        "SDK_HOST": f"localhost:{address.tls_port}",
        "SSL_CERT_FILE": str(address.certificate),
    }


def _variables(address: Address) -> Mapping[str, str]:
    """Its own environment variables."""
    return {"V2_API_URL": f"{address.origin}/v2", "V3_API_URL": f"{address.origin}/v3"}


def _mapped_hosts(address: Address) -> Mapping[str, str]:
    """It takes no address at all: its hosts are connected to the gateway."""
    return {
        "NODE_OPTIONS": f"--import={(HERE / 'names.mjs').as_uri()}",
        "NODE_EXTRA_CA_CERTS": str(address.certificate),
        "GATEWAY_PORT": str(address.tls_port),
    }


def _node(folder: str) -> tuple[str, ...]:
    return ("node", str(HERE / "calls.mjs"), str(INSTALLED / folder))


SDKS = (
    Sdk(
        "PyPI lnmarkets-sdk 0.2.0",
        (str(INSTALLED / "python/bin/python"), str(HERE / "calls.py")),
        _hostname,
        _in_python,
        retries=True,
    ),
    Sdk("npm @ln-markets/sdk 1.2.5", _node("npm-1.2.5"), _variables, _before_version_2),
    Sdk("npm @ln-markets/sdk 2.0.2", _node("npm-2.0.2"), _mapped_hosts),
)
