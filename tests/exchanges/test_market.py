"""The market put together from pieces: whatever the order, the newest of each field stands."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exchanges.market import Market
from exchanges.stream import MarketNews
from exchanges.types import Aged
from tests.builders import NOW, ticker


def news(second: int, **told) -> MarketNews:
    at = NOW + timedelta(seconds=second)
    return MarketNews(at, at + timedelta(milliseconds=50), **told)


def test_nothing_is_known_before_the_first_price():
    market = Market()
    market.learn(news(0, index=Decimal(1)), source="stream")
    assert market.ticker() is None


def test_a_piece_changes_what_it_tells_and_nothing_else():
    market, whole = Market(), ticker(100)
    market.learn_ticker(whole, asked_at=NOW)
    later = news(1, last_price=Decimal(101))
    market.learn(later, source="stream")
    expected = replace(whole, at=later.at, last_price=Decimal(101))
    assert market.ticker() == Aged(expected, later.known_at, "stream")


def test_an_answer_older_than_what_was_told_changes_nothing():
    market, told = Market(), news(5, last_price=Decimal(101))
    market.learn(told, source="stream")
    market.learn_ticker(ticker(100), asked_at=NOW + timedelta(seconds=9))
    assert market.ticker().value.last_price == 101
    assert (market.ticker().at, market.ticker().source) == (told.known_at, "stream")


PIECES = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["last_price", "index"]), st.integers(1, 99)).map(
        lambda piece: news(piece[0], **{piece[1]: Decimal(piece[2])})
    ),
    max_size=12,
)


@given(PIECES)
def test_of_each_field_the_newest_stands(pieces):
    market, newest = Market(), {}
    for piece in pieces:
        market.learn(piece, source="stream")
        for name in ("last_price", "index"):
            if getattr(piece, name) is not None and newest.get(name, piece).at <= piece.at:
                newest[name] = piece
    known = market.ticker()
    assert (known is None) is ("last_price" not in newest)
    if known:
        assert known.value.last_price == newest["last_price"].last_price
        assert known.value.index == (newest["index"].index if "index" in newest else None)
