"""What may be asked about cross margin: the bodies of the requests, typed and checked."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from exchanges.paper.commands import MAX_LEVERAGE, MAX_QUANTITY, Command, PlacedType, Price, Sats
from exchanges.types import OrderType, Side


class PlaceOrder(Command):
    """An order of `quantity` USD on the cross position."""

    side: Side
    type: PlacedType
    quantity: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY)]
    price: Price | None = None
    client_id: Annotated[str, Field(max_length=64)] | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.price is None) == (self.type is OrderType.LIMIT):
            raise ValueError("price: required for a limit order, forbidden for a market order")
        return self


class SetLeverage(Command):
    """The leverage of the whole position."""

    leverage: Annotated[int, Field(strict=True, ge=1, le=MAX_LEVERAGE)]


class MoveSats(Command):
    """Sats between the balance and the margin of the position."""

    amount: Sats
