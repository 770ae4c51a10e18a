"""The adapters there are, by name. One is imported when the first client of its kind is made."""

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Final, Protocol, cast

from exchanges.addresses import require_safe
from exchanges.client import ExchangeClient
from exchanges.types import Credentials


class Connect(Protocol):
    """What an adapter offers: a client of the exchange at `base_url`, for one account or none."""

    def __call__(self, *, base_url: str, credentials: Credentials | None) -> ExchangeClient: ...


ADAPTERS: Final[Mapping[str, str]] = {
    "lnmarkets": "exchanges.lnmarkets.rest:connect",
}


def adapter_choices() -> list[tuple[str, str]]:
    """The adapters' names, as Django wants choices."""
    return [(name, name) for name in ADAPTERS]


def connect(
    adapter: str, *, base_url: str, credentials: Credentials | None = None
) -> ExchangeClient:
    """A client made by `adapter`; without credentials only the public reads answer.

    Raises `ValueError` for an unknown adapter and for an address that is not safe to sign for.
    """
    if adapter not in ADAPTERS:
        raise ValueError(f"There is no adapter {adapter!r}. Known are: {', '.join(ADAPTERS)}.")
    require_safe(base_url)
    make = cast(Connect, resolve_name(ADAPTERS[adapter]))
    return make(base_url=base_url, credentials=credentials)
