"""Swaps: whole sats against whole cents, and back."""

from decimal import Decimal

from exchanges.types import Asset, Capability, NewSwap
from tests.exchanges.conformance.calls import each_adapter, long_ago
from tests.exchanges.conformance.world import BALANCE, signed_now

SATS_PER_BITCOIN = 100_000_000
CENTS = 100

pytestmark = each_adapter(Capability.SWAPS)


def test_bitcoin_to_dollars(world):
    bid = world.client.swaps.best_price().bid

    swap = world.client.swaps.swap(NewSwap(100_000, Asset.BTC), signature=signed_now())

    assert (swap.in_asset, swap.in_amount, swap.out_asset) == (Asset.BTC, 100_000, Asset.USD)
    assert abs(swap.out_amount - 100_000 * bid * CENTS / SATS_PER_BITCOIN) <= 1
    account = world.client.account()
    assert account.balance == BALANCE - 100_000
    assert account.usd == Decimal(swap.out_amount) / CENTS
    assert world.done() == 1


def test_dollars_to_bitcoin(world):
    swaps = world.client.swaps
    bought = swaps.swap(NewSwap(100_000, Asset.BTC), signature=signed_now()).out_amount
    ask = swaps.best_price().ask

    swap = swaps.swap(NewSwap(bought, Asset.USD), signature=signed_now())

    assert (swap.in_asset, swap.in_amount, swap.out_asset) == (Asset.USD, bought, Asset.BTC)
    assert abs(swap.out_amount - bought * SATS_PER_BITCOIN / ask / CENTS) <= 1
    account = world.client.account()
    assert (account.balance, account.usd) == (BALANCE - 100_000 + swap.out_amount, 0)


def test_history_is_newest_first(world):
    swaps = world.client.swaps
    done = [
        swaps.swap(NewSwap(amount, Asset.BTC), signature=signed_now()) for amount in (5000, 6000)
    ]

    history = swaps.history(since=long_ago())

    assert [swap.id for swap in history] == [swap.id for swap in reversed(done)]
    assert [swap.in_amount for swap in history] == [6000, 5000]
    assert all(swap.created_at is not None for swap in history)
