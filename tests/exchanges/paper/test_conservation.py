"""Whatever traders do, sats are neither made nor lost, and the ledger remembers all of it."""

from contextlib import closing
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from exchanges.inverse_futures import PRICE_TICK, profit_and_loss
from exchanges.paper import decisions
from exchanges.paper.book import Book
from exchanges.paper.commands import MoveMargin, OnTrade, SetStopLoss, SetTakeProfit
from exchanges.paper.ledger import Ledger
from exchanges.paper.refusals import Refusal
from exchanges.types import CandleRange, FundingFee, Side, TradeStatus
from tests.exchanges.paper.desk import Desk

START_BALANCE = 10_000_000
MOVES = st.sampled_from(["0.9", "0.97", "0.99", "0.998", "1.002", "1.01", "1.03", "1.1"]).map(
    Decimal
)
WHICH = st.integers(0, 5)


class Trading(RuleBasedStateMachine):
    """Random orders and moves; refusals are fine, as long as they change nothing."""

    def __init__(self):
        super().__init__()
        self.desk = Desk(balance=START_BALANCE)

    @rule(
        side=st.sampled_from(Side),
        leverage=st.sampled_from(["1", "1.5", "10", "50", "100"]).map(Decimal),
        size=st.one_of(
            st.builds(dict, quantity=st.integers(1, 20_000)),
            st.builds(dict, margin=st.integers(1000, 3_000_000)),
        ),
        limit=st.none() | MOVES,
    )
    def open(self, side, leverage, size, limit):
        kind = {"type": "market"}
        if limit is not None:
            kind = {"type": "limit", "price": self._price(limit)}
        self._try(self.desk.open, side=side, leverage=leverage, **size, **kind)

    @precondition(lambda self: self.desk.account.live)
    @rule(which=WHICH, decision=st.sampled_from([decisions.close_trade, decisions.cancel_trade]))
    def end(self, which, decision):
        self._on(which, decision, OnTrade)

    @precondition(lambda self: self.desk.account.live)
    @rule(
        which=WHICH,
        decision=st.sampled_from([decisions.add_margin, decisions.cash_in]),
        amount=st.sampled_from([1, 1000, 20_000, 300_000]),
    )
    def move_margin(self, which, decision, amount):
        self._on(which, decision, MoveMargin, amount=amount)

    @precondition(lambda self: self.desk.account.live)
    @rule(which=WHICH, move=MOVES)
    def set_stop_loss(self, which, move):
        self._on(which, decisions.set_stop_loss, SetStopLoss, value=self._price(move))

    @precondition(lambda self: self.desk.account.live)
    @rule(which=WHICH, move=MOVES)
    def set_take_profit(self, which, move):
        self._on(which, decisions.set_take_profit, SetTakeProfit, value=self._price(move))

    @precondition(lambda self: self.desk.account.live)
    @rule(which=WHICH, distance=st.sampled_from(["0.001", "0.02", "0.3", "10"]).map(Decimal))
    def trail_stop_loss(self, which, distance):
        self._on(which, decisions.set_stop_loss, SetStopLoss, value=distance, mode="trailing")

    @rule(rate=st.sampled_from(["0", "0.0001", "0.003", "-0.0001", "-0.02", "0.1"]))
    def fund(self, rate):
        before = self.desk.balance
        self.desk.fund(rate)
        assert self.desk.balance >= before

    @rule(usd=st.sampled_from([0, 1, 50, 600]))
    def spread(self, usd):
        self.desk.spread(usd)

    @rule(move=MOVES)
    def move_price(self, move):
        before = self.desk.balance
        self.desk.move(self._price(move))
        assert self.desk.balance >= before

    @invariant()
    def sats_are_conserved(self):
        account = self.desk.account
        trades = [*account.live.values(), *account.history.values()]
        held = sum(trade.held for trade in account.live.values())
        fees = sum(trade.opening_fee + trade.closing_fee for trade in trades)
        funding = sum(trade.sum_funding_fees for trade in trades)
        realised = sum(trade.pl + trade.sum_cash_in_pl for trade in trades)
        assert account.balance + held + fees + funding == START_BALANCE + realised
        assert funding == sum(fee.fee for fee in account.all(FundingFee))

    @invariant()
    def nothing_is_owed(self):
        account = self.desk.account
        assert account.balance >= 0
        for trade in account.live.values():
            assert trade.margin > 0
            assert trade.maintenance_margin >= 0
            funded = any(fee.trade_id == trade.id for fee in account.all(FundingFee))
            assert 1 <= trade.leverage <= 100 or funded

    @invariant()
    def running_trades_are_worth_something(self):
        for trade in self.desk.account.trades(TradeStatus.RUNNING):
            available = self.desk.book.price_for(trade.exit_side, trade.quantity)
            assert trade.exit_at(self.desk.book.price, available=available) is None
            assert trade.margin + trade.pl_at(available) >= 0

    @invariant()
    def profit_is_that_of_the_price(self):
        for trade in self.desk.account.trades(TradeStatus.CLOSED):
            if trade.exit_price != trade.liquidation:
                fair = profit_and_loss(
                    side=trade.side,
                    quantity=trade.quantity,
                    entry=trade.entry_price,
                    price=trade.exit_price,
                )
                assert abs(trade.pl + trade.sum_cash_in_pl - fair) <= len(self.desk.changes)

    def teardown(self):
        """The ledger of it all gives the same book again."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "ledger.jsonl"
            middle = len(self.desk.changes) // 2
            with closing(Ledger(path)) as ledger:
                ledger.append(self.desk.changes[:middle])
                ledger.append(self.desk.changes[middle:])
            book = Book(Decimal(1))
            with closing(Ledger(path)) as ledger:
                ledger.replay(book.apply)
        assert book.accounts == self.desk.book.accounts
        assert state_of(book.market) == state_of(self.desk.book.market)

    def _price(self, move):
        price = min(max(self.desk.book.price * move, Decimal(10_000)), Decimal(1_000_000))
        return price // PRICE_TICK * PRICE_TICK

    def _on(self, which, decision, command, **fields):
        trades = list(self.desk.account.live.values())
        trade_id = trades[which % len(trades)].id
        self._try(self.desk.act, decision, command(id=trade_id, **fields))

    def _try(self, act, *args, **kwargs):
        changes = len(self.desk.changes)
        try:
            act(*args, **kwargs)
        except Refusal:
            assert len(self.desk.changes) == changes


def state_of(market):
    candles = market.candles.newest_first(CandleRange.M1, now=market.changed_at, limit=10_000)
    return market.price, market.changed_at, market.terms, market.settlements, candles


TestTrading = Trading.TestCase
TestTrading.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
