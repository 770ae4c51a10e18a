"""From a decision's action to the one call that carries it out. Pure: the client comes in."""

from decimal import Decimal
from typing import TypeGuard, assert_never
from uuid import UUID

from automations.rules.actions import (
    Action,
    AddMargin,
    CashIn,
    CloseTrade,
    DepositCross,
    OpenTrade,
    OrderCross,
    OrderSpot,
    ReopenTrade,
    SetStopLoss,
    SetTakeProfit,
    SwapAsset,
)
from exchanges.client import ExchangeClient, Signature
from exchanges.inverse_futures import required_margin
from exchanges.types import (
    Asset,
    CrossOrder,
    CrossPosition,
    NewCrossOrder,
    NewSpotOrder,
    NewSwap,
    NewTrade,
    OrderType,
    Side,
    SpotOrder,
    Swap,
    Trade,
    Transfer,
)

Answer = Trade | CrossOrder | CrossPosition | Swap | SpotOrder | Transfer
"""What the exchange says of that which was acted on."""

CENTS = Decimal("0.01")
CROSS_TARGET = "cross"
SWAP_TARGET = "swap"
OPEN_TARGET = "open"


def perform(
    client: ExchangeClient, action: Action, *, client_id: str, signature: Signature
) -> Answer:
    """Send `action` once and return what it acted on, as the exchange left it.

    New orders carry `client_id`, by which they are found again. Raises what an acting call
    raises: `NotSent`, `RateLimited`, `PermanentError` or `UnknownOutcome` (`exchanges.errors`).
    """
    match action:
        case OrderCross() | DepositCross():
            return _on_cross(client, action, client_id, signature)
        case SwapAsset(asset, amount):
            return client.swaps.swap(NewSwap(amount, asset), signature=signature)
        case OrderSpot(symbol, side, amount):
            spot = NewSpotOrder(symbol, side, OrderType.MARKET, amount, client_id=client_id)
            return client.spot.new_order(spot, signature=signature)
        case OpenTrade() | ReopenTrade():
            return client.isolated.new_trade(_order(action, client_id), signature=signature)
        case _:
            return _on_trade(client, action, signature)


def _on_trade(
    client: ExchangeClient,
    action: AddMargin | CashIn | CloseTrade | SetStopLoss | SetTakeProfit,
    signature: Signature,
) -> Trade:
    isolated = client.isolated
    match action:
        case AddMargin(trade_id, amount):
            return isolated.add_margin(trade_id, amount=amount, signature=signature)
        case CashIn(trade_id, amount):
            return isolated.cash_in(trade_id, amount=amount, signature=signature)
        case CloseTrade(trade_id):
            return isolated.close_trade(trade_id, signature=signature)
        case SetStopLoss(trade_id, price):
            return isolated.set_stop_loss(trade_id, price=price, signature=signature)
        case SetTakeProfit(trade_id, price):
            return isolated.set_take_profit(trade_id, price=price, signature=signature)
        case _:
            assert_never(action)


def _on_cross(
    client: ExchangeClient, action: OrderCross | DepositCross, client_id: str, signature: Signature
) -> CrossOrder | CrossPosition:
    match action:
        case OrderCross(side, quantity):
            order = NewCrossOrder(side, OrderType.MARKET, quantity, client_id=client_id)
            return client.cross.new_order(order, signature=signature)
        case DepositCross(amount):
            return client.cross.deposit(amount, signature=signature)
        case _:
            assert_never(action)


def _order(action: OpenTrade | ReopenTrade, client_id: str) -> NewTrade:
    return NewTrade(
        side=action.side,
        type=action.type if isinstance(action, OpenTrade) else OrderType.MARKET,
        leverage=action.leverage,
        quantity=action.quantity,
        price=action.price if isinstance(action, OpenTrade) else None,
        stop_loss=action.stop_loss,
        take_profit=action.take_profit,
        client_id=client_id,
    )


def target_of(action: Action, automation: UUID) -> str:
    """What an action acts on: of those that must not be repeated, one at a time per target."""
    match action:
        case OpenTrade():
            return f"{OPEN_TARGET}:{automation}"
        case OrderCross() | DepositCross():
            return CROSS_TARGET
        case SwapAsset():
            return SWAP_TARGET
        case OrderSpot(symbol):
            return f"spot:{symbol}"
        case (
            AddMargin() | CashIn() | CloseTrade() | ReopenTrade() | SetStopLoss() | SetTakeProfit()
        ):
            return f"trade:{action.trade_id}"
        case _:
            assert_never(action)


def is_idempotent(action: Action) -> bool:
    """Whether sending it twice has the effect of sending it once: it names a state, not a step."""
    return isinstance(action, CloseTrade | SetStopLoss | SetTakeProfit)


def needs_the_one_before(action: Action) -> TypeGuard[ReopenTrade]:
    """Whether it may only follow when the action before it is confirmed to be done by us."""
    return isinstance(action, ReopenTrade)


def cost_of(action: Action, price: Decimal) -> int:
    """Sats an action takes from the free balance, with the market at `price`; fees left out.

    What a reopening takes was released by the close before it.
    """
    match action:
        case AddMargin(amount=amount) | DepositCross(amount=amount):
            return amount
        case SwapAsset(asset, amount):
            return amount if asset is Asset.BTC else 0
        case OpenTrade(quantity=quantity, leverage=leverage, price=limit):
            return required_margin(quantity=quantity, price=limit or price, leverage=leverage)
        case (
            CashIn()
            | CloseTrade()
            | ReopenTrade()
            | SetStopLoss()
            | SetTakeProfit()
            | OrderCross()
            | OrderSpot()
        ):
            return 0
        case _:
            assert_never(action)


def spent_by(action: Action) -> Decimal:
    """What a purchase costs, in the quote currency; 0 for what buys nothing."""
    match action:
        case SwapAsset(Asset.USD, amount):
            return amount * CENTS
        case OrderSpot(side=Side.BUY, cost=cost):
            return cost
        case _:
            return Decimal(0)


def is_opening(action: Action) -> bool:
    """Whether it adds exposure or buys something: what a kill switch stops at once.

    To reopen the rest of a position is not: together with the close before it, it reduces.
    """
    match action:
        case OpenTrade() | SwapAsset() | OrderSpot():
            return True
        case OrderCross(reduces=reduces):
            return not reduces
        case (
            AddMargin()
            | CashIn()
            | CloseTrade()
            | ReopenTrade()
            | SetStopLoss()
            | SetTakeProfit()
            | DepositCross()
        ):
            return False
        case _:
            assert_never(action)
