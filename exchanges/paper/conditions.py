"""Conditions under which the exchange refuses: maintenance, a country, a trading limit.

They hold from the moment they are set until they are lifted, for one account or for all, and are
not in the ledger: a restarted exchange is open to everybody.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from exchanges.paper.commands import ControlCommand
from exchanges.paper.refusals import Refusal


class Condition(StrEnum):
    """Why signed requests are refused.

    `MAINTENANCE` and `GEO_BLOCK` refuse all of them; `TIER_LIMIT` refuses deposits and whatever
    may enlarge a position.
    """

    MAINTENANCE = "maintenance"
    GEO_BLOCK = "geo_block"
    TIER_LIMIT = "tier_limit"


REFUSALS = {
    Condition.MAINTENANCE: (
        503,
        "SERVICE_UNAVAILABLE",
        "Trading engine is temporarily unavailable",
    ),
    Condition.GEO_BLOCK: (403, "FORBIDDEN", "The service is not available in your country"),
    Condition.TIER_LIMIT: (
        403,
        "TIER_LIMIT_EXCEEDED",
        "The limit of your verification level for 30 days is exceeded",
    ),
}


class SetCondition(ControlCommand):
    """Whether a condition holds, for one account or, without `account_id`, for all."""

    condition: Condition
    on: Annotated[bool, Field(strict=True)]
    account_id: str | None = None


class Conditions:
    """The conditions that hold now."""

    def __init__(self) -> None:
        self._holding: set[tuple[Condition, str | None]] = set()

    def set(self, command: SetCondition) -> None:
        """Let the condition hold, or lift it."""
        entry = (command.condition, command.account_id)
        if command.on:
            self._holding.add(entry)
        else:
            self._holding.discard(entry)

    def check(self, account_id: str, *conditions: Condition) -> None:
        """Raises `Refusal` when one of `conditions` holds for the account."""
        for condition in conditions:
            if self._holding & {(condition, account_id), (condition, None)}:
                status, code, message = REFUSALS[condition]
                raise Refusal(message, status=status, code=code)
