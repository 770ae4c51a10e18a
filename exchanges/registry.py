"""The adapters there are, by name. One is imported when the first client of its kind is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Final, Protocol, cast

from exchanges.addresses import require_safe
from exchanges.client import ExchangeClient
from exchanges.guard import UNGUARDED, Guard
from exchanges.stream import Listener, Stream
from exchanges.types import Capability, Credentials, Permission


class OpenStream(Protocol):
    """What an adapter may offer besides: a stream, which tells the listener by itself."""

    def __call__(
        self, *, base_url: str, credentials: Credentials | None, listener: Listener
    ) -> Stream: ...


class Connect(Protocol):
    """What an adapter offers: a client of the exchange at `base_url`, for one account or none."""

    def __call__(
        self, *, base_url: str, credentials: Credentials | None, guard: Guard
    ) -> ExchangeClient: ...


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter: where its `Connect` is, and which parts of the port it has.

    `stream` is where its `OpenStream` is, if it has any. `scopes` are its own names for what a
    key may do. Where keys have no passphrase it is blank. An exchange that does not name the
    account of a key leaves it known by its key.
    """

    connect: str
    capabilities: frozenset[Capability]
    scopes: Mapping[Permission, str]
    stream: str | None = None
    has_passphrase: bool = True
    names_accounts: bool = True


ADAPTERS: Final[Mapping[str, Adapter]] = {
    "lnmarkets": Adapter(
        "exchanges.lnmarkets.rest:connect",
        frozenset({Capability.ISOLATED, Capability.CROSS, Capability.SWAPS}),
        {
            Permission.READ: "account:read",
            Permission.TRADE: "futures:isolated:write",
            Permission.WITHDRAW: "account:withdrawals:write",
        },
        stream="exchanges.lnmarkets.stream:connect",
    ),
    "ccxt-kraken": Adapter(
        "exchanges.ccxt.kraken:connect",
        frozenset({Capability.SPOT}),
        {
            Permission.READ: "Query funds",
            Permission.TRADE: "Create & modify orders",
            Permission.WITHDRAW: "Withdraw funds",
        },
        has_passphrase=False,
        names_accounts=False,
    ),
}


def adapter_choices() -> list[tuple[str, str]]:
    """The adapters' names, as Django wants choices."""
    return [(name, name) for name in ADAPTERS]


def adapter(name: str) -> Adapter:
    """The adapter called `name`; raises `ValueError` for one there is not."""
    if name not in ADAPTERS:
        raise ValueError(f"There is no adapter {name!r}. Known are: {', '.join(ADAPTERS)}.")
    return ADAPTERS[name]


def scope_of(name: str, permission: Permission) -> str:
    """What the exchange behind the adapter called `name` calls a permission."""
    return adapter(name).scopes[permission]


def connect(
    name: str,
    *,
    base_url: str,
    credentials: Credentials | None = None,
    guard: Guard = UNGUARDED,
) -> ExchangeClient:
    """A client made by the adapter called `name`, each request of which goes through `guard`.

    Without credentials only the public reads answer. Raises `ValueError` for an unknown adapter
    and for an address that is not safe to sign for.
    """
    require_safe(base_url)
    make = cast(Connect, resolve_name(adapter(name).connect))
    return make(base_url=base_url, credentials=credentials, guard=guard)


def open_stream(
    name: str, *, base_url: str, listener: Listener, credentials: Credentials | None = None
) -> Stream | None:
    """A stream of the adapter called `name`, not started yet; None when it has no streams.

    Without credentials it tells of the market, with them of their account. Raises `ValueError`
    for an unknown adapter and for an address that is not safe to sign for.
    """
    require_safe(base_url)
    stream = adapter(name).stream
    if stream is None:
        return None
    open_ = cast(OpenStream, resolve_name(stream))
    return open_(base_url=base_url, credentials=credentials, listener=listener)
