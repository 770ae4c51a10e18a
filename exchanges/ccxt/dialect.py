"""What has to be known of an exchange besides what ccxt knows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from exchanges.types import Credentials


@dataclass(frozen=True, slots=True)
class Dialect:
    """An exchange of ccxt's.

    `id` is ccxt's name for it, `market` the one of its ticker and candles. `exact` and `broad` are
    errors which ccxt does not know: the whole text, or a part of it, and the name of ccxt's error.
    """

    id: str
    name: str
    market: str
    exact: Mapping[str, str]
    broad: Mapping[str, str]

    require_usable: Callable[[Credentials], None]
    """Raises `InvalidCredentials` for what cannot be a key of this exchange's."""

    said: Callable[[object], str]
    """The exchange's own words for an error, in a document; blank when there are none."""

    require_whole: Callable[[str, object], None]
    """Raises `UnreadableAnswer` when the document at a path lacks what ccxt would take for none."""
