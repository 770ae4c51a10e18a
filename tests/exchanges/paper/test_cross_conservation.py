"""Whatever is done with cross margin, swaps and payments: no sat and no cent is made or lost."""

from contextlib import closing
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from exchanges.inverse_futures import PRICE_TICK, SATS_PER_BTC
from exchanges.paper import bitcoin, funding, swaps, treasury
from exchanges.paper import decisions_cross as cross
from exchanges.paper.book import Book
from exchanges.paper.commands import Nothing
from exchanges.paper.commands_account import (
    AdvanceDeposit,
    AdvanceWithdrawal,
    NewLightningDeposit,
    PayInvoice,
    ReceiveOnChain,
    SendOnChain,
    SwapAssets,
)
from exchanges.paper.commands_cross import MoveSats, SetLeverage
from exchanges.paper.equity import equity
from exchanges.paper.ledger import Ledger
from exchanges.paper.market import Depth, Terms
from exchanges.paper.records import (
    LightningDeposit,
    LightningWithdrawal,
    OnChainDeposit,
    OnChainDepositStatus,
    OnChainWithdrawal,
    WithdrawalStatus,
)
from exchanges.paper.refusals import NotFound, Refusal
from exchanges.paper.swaps import UsdUnit
from exchanges.types import Asset, FundingFee, OrderStatus, Side, Swap, Transfer
from tests.exchanges.paper.cross_desk import CrossDesk
from tests.exchanges.paper.desk import START

START_BALANCE = 50_000_000
MOVES = st.sampled_from(["0.8", "0.95", "0.99", "0.998", "1.002", "1.01", "1.05", "1.25"]).map(
    Decimal
)
AMOUNTS = st.sampled_from([1, 1_000, 50_000, 700_000, 20_000_000])
SIZES = st.sampled_from([1, 700, 20_000, 40_000, 160_000, 400_000])
WHICH = st.integers(0, 3)
RETURNED = (WithdrawalStatus.FAILED, WithdrawalStatus.CANCELED, WithdrawalStatus.REJECTED)


class Living(RuleBasedStateMachine):
    """Random requests and moves; refusals are fine, as long as they change nothing."""

    def __init__(self):
        super().__init__()
        self.desk = CrossDesk(balance=START_BALANCE, margin=5_000_000)

    @rule(asset=st.sampled_from(Asset), amount=AMOUNTS, unit=st.sampled_from(UsdUnit))
    def swap(self, asset, amount, unit):
        other = Asset.USD if asset is Asset.BTC else Asset.BTC
        command = SwapAssets(in_amount=Decimal(amount), in_asset=asset, out_asset=other)
        self._try(self.desk.do, swaps.swap, command, unit=unit)

    @rule(move=MOVES)
    def move_price(self, move):
        self.desk.slide(self._price(move))

    @invariant()
    def every_sat_is_accounted_for(self):
        account, position = self.desk.account, self.desk.position
        moved = sum(transfer.amount for transfer in account.all(Transfer))
        fees = sum(fee.fee for fee in account.all(FundingFee))
        paid = position.trading_fees + position.funding_fees
        assert position.margin == moved + position.realised - paid
        assert position.funding_fees == fees
        assert position.trading_fees == sum(each.trading_fee for each in account.orders.values())
        assert account.balance == START_BALANCE - moved + self._swapped() + self._paid()

    @invariant()
    def every_cent_is_accounted_for(self):
        cents = 0
        for swap in self.desk.account.all(Swap):
            bought = swap.out_asset is Asset.USD
            cents += swap.out_amount if bought else -swap.in_amount
        assert self.desk.account.usd == cents

    @invariant()
    def nothing_is_owed(self):
        account = self.desk.account
        assert account.balance >= 0
        assert account.usd >= 0
        assert account.cross.margin >= 0
        assert not account.cross.is_liquidated_at(self.desk.book.price)

    @invariant()
    def the_position_is_the_sum_of_its_fills(self):
        filled = [
            each for each in self.desk.account.orders.values() if each.status is OrderStatus.FILLED
        ]
        signed = (each.quantity if each.side is Side.BUY else -each.quantity for each in filled)
        assert self.desk.position.quantity == sum(signed)

    def teardown(self):
        """The ledger of it all gives the same book again."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "ledger.jsonl"
            with closing(Ledger(path)) as ledger:
                ledger.append(self.desk.changes)
            book = Book(Decimal(1))
            with closing(Ledger(path)) as ledger:
                ledger.replay(book.apply)
        assert book.price == self.desk.book.price
        assert book.accounts == self.desk.book.accounts

    def _swapped(self):
        swaps_ = self.desk.account.all(Swap)
        gained = sum(swap.out_amount for swap in swaps_ if swap.out_asset is Asset.BTC)
        return gained - sum(swap.in_amount for swap in swaps_ if swap.in_asset is Asset.BTC)

    def _paid(self):
        account = self.desk.account
        lightning = [each for each in account.all(LightningDeposit) if each.settled_at]
        on_chain = [
            each
            for each in account.all(OnChainDeposit)
            if each.status is OnChainDepositStatus.IRREVERSIBLE
        ]
        left = [
            each
            for each in (*account.all(LightningWithdrawal), *account.all(OnChainWithdrawal))
            if each.status not in RETURNED
        ]
        came = sum(each.amount for each in (*lightning, *on_chain))
        return came - sum(each.amount + each.fee for each in left)

    def _id(self, kind, which):
        records = self.desk.account.all(kind)
        return records[which % len(records)].id if records else "none"

    def _price(self, move):
        price = min(max(self.desk.book.price * move, Decimal(10_000)), Decimal(1_000_000))
        return price // PRICE_TICK * PRICE_TICK

    def _try(self, act, *args, **kwargs):
        changes = len(self.desk.changes)
        try:
            act(*args, **kwargs)
        except (Refusal, NotFound):
            assert len(self.desk.changes) == changes


class Trading(Living):
    """Orders, transfers, fundings."""

    fundings = 0

    @rule(side=st.sampled_from(Side), quantity=SIZES, limit=st.none() | MOVES)
    def order(self, side, quantity, limit):
        price = None if limit is None else self._price(limit)
        self._try(self.desk.order, side, quantity, price=price)

    @rule()
    def close(self):
        self._try(self.desk.close)

    @rule()
    def cancel_all(self):
        self._try(self.desk.do, cross.cancel_all_orders, Nothing())

    @rule(leverage=st.sampled_from([1, 3, 10, 100]))
    def set_leverage(self, leverage):
        self._try(self.desk.do, cross.set_leverage, SetLeverage(leverage=leverage))

    @rule(decision=st.sampled_from([cross.deposit, cross.withdraw]), amount=AMOUNTS)
    def transfer(self, decision, amount):
        self._try(self.desk.do, decision, MoveSats(amount=amount))

    @rule(spread=st.sampled_from([0, 10, 200]), rate=st.sampled_from(["0", "0.0001", "-0.01"]))
    def fund(self, spread, rate):
        self.fundings += 1
        self.desk.book.market.terms = Terms(
            funding_rate=Decimal(rate), depths=(Depth(500_000, Decimal(spread)),)
        )
        name = f"funding-{self.fundings}"
        changes = funding.settle(self.desk.book, at=START, settlement_id=name)
        self.desk._accept(*changes)


class Paying(Living):
    """Deposits and withdrawals."""

    @rule(amount=AMOUNTS, status=st.sampled_from(OnChainDepositStatus))
    def receive(self, amount, status):
        command = ReceiveOnChain(amount=amount, status=status)
        self._try(self.desk.do, treasury.receive_on_chain, command)

    @rule(amount=AMOUNTS)
    def ask_for_payment(self, amount):
        self._try(self.desk.do, treasury.new_lightning_deposit, NewLightningDeposit(amount=amount))

    @rule(which=WHICH, status=st.none() | st.sampled_from(OnChainDepositStatus))
    def advance_deposit(self, which, status):
        command = AdvanceDeposit(
            id=self._id(OnChainDeposit if status else LightningDeposit, which), status=status
        )
        self._try(self.desk.do, treasury.advance_deposit, command)

    @rule(amount=AMOUNTS, decision=st.sampled_from([treasury.pay_invoice, treasury.send_on_chain]))
    def withdraw(self, amount, decision):
        if decision is treasury.pay_invoice:
            command = PayInvoice(
                invoice=bitcoin.make_invoice(amount, payment_hash="00" * 32, at=START)
            )
        else:
            address = bitcoin.make_address(bitcoin.AddressFormat.P2TR, seed="elsewhere")
            command = SendOnChain(address=address, amount=amount)
        self._try(self.desk.do, decision, command)

    @rule(
        which=WHICH,
        kind=st.sampled_from([LightningWithdrawal, OnChainWithdrawal]),
        status=st.sampled_from([WithdrawalStatus.PROCESSED, *RETURNED]),
        fee=st.none() | st.integers(0, 2_000),
    )
    def advance_withdrawal(self, which, kind, status, fee):
        command = AdvanceWithdrawal(id=self._id(kind, which), status=status, fee=fee)
        self._try(self.desk.do, treasury.advance_withdrawal, command)


TestTrading, TestPaying = Trading.TestCase, Paying.TestCase
TestTrading.settings = TestPaying.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

FILLS = st.lists(
    st.tuples(
        st.integers(-5_000, 5_000).filter(bool),
        st.integers(80_000, 125_000).map(Decimal),
    ),
    min_size=1,
    max_size=12,
)


@given(fills=FILLS)
@settings(max_examples=200, deadline=None)
def test_netting_equals_the_sum_of_the_fills(fills):
    desk = CrossDesk(balance=10**10, margin=10**9, leverage=1)
    desk.trade(*fills)
    mark = desk.book.price
    fair = sum(quantity * SATS_PER_BTC * (1 / price - 1 / mark) for quantity, price in fills)
    netted = desk.position.realised + desk.position.pl_at(mark)
    assert netted == pytest.approx(fair, abs=len(fills) + 1)
    worth = 10**10 + netted - desk.position.trading_fees
    assert equity(desk.account, desk.book) == worth
