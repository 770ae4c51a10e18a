"""The ledger survives what disks and crashes do to it, or says what is wrong."""

import json
import resource
from contextlib import closing, contextmanager
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from zlib import crc32

import pytest

from exchanges.paper.changes import By
from exchanges.paper.commands import CreateAccount, OpenTrade
from exchanges.paper.decisions import open_trade
from exchanges.paper.exchange import PaperExchange
from exchanges.paper.ledger import Ledger, LedgerNotWritten, LedgerUnusable

ORDER = {"side": "buy", "type": "market", "leverage": 10, "quantity": 1000}


@pytest.fixture
def path(tmp_path):
    """A ledger of four lines: price, account, two trades that end at 90,909."""
    path = tmp_path / "deep" / "ledger.jsonl"
    with reopened(path) as exchange:
        account = exchange.create_account(CreateAccount(balance=10_000_000, username="trader"))
        for _ in range(2):
            exchange.act(open_trade, account, OpenTrade.read(ORDER), by=By.API)
    return path


@contextmanager
def reopened(path):
    with closing(PaperExchange(path, price=Decimal(100_000))) as exchange:
        yield exchange


def state(exchange):
    return exchange.book.price, deepcopy(exchange.book.accounts)


def test_a_restart_has_the_same_book(path):
    with reopened(path) as exchange:
        exchange.move_price(Decimal("101000.5"))
        before = state(exchange)
    with closing(PaperExchange(path, price=Decimal(1))) as exchange:
        assert state(exchange) == before


def test_it_is_for_its_owner_only(path):
    assert path.stat().st_mode & 0o077 == 0


def test_a_torn_end_is_cut_off_and_said(path, capsys):
    whole = path.read_bytes()
    with reopened(path) as exchange:
        before = state(exchange)
        exchange.move_price(Decimal(90_000))
    piece = path.read_bytes()[len(whole) :]
    assert piece.count(b"\n") == 3
    line_ends = [position + 1 for position, byte in enumerate(piece) if byte == ord("\n")]
    for kept in [1, 100, *line_ends[:-1], line_ends[0] + 10, len(piece) - 1]:
        path.write_bytes(whole + piece[:kept])
        with reopened(path) as exchange:
            assert state(exchange) == before
        assert path.read_bytes() == whole
        assert f"{path}: cut off {kept} bytes after line 4" in capsys.readouterr().err


def test_after_a_torn_end_it_goes_on(path):
    with path.open("ab") as file:
        file.write(b'{"seq":5,"at"')
    with reopened(path) as exchange:
        exchange.move_price(Decimal(99_000))
        before = state(exchange)
    with reopened(path) as exchange:
        assert state(exchange) == before


def resealed(line, **changes):
    """A line that someone changed and sealed again."""
    entry = json.loads(line)
    del entry["crc"]
    text = json.dumps(entry | changes, separators=(",", ":")).encode()
    return text[:-1] + b',"crc":%d}\n' % crc32(text)


def flipped(line):
    """The same line with one digit of the balance changed."""
    return line.replace(b'"balance":9', b'"balance":8')


@pytest.mark.parametrize(
    ("damage", "number"),
    [
        pytest.param(lambda a, b, c, d: [a, b, flipped(c), d], 3, id="a digit changed"),
        pytest.param(lambda a, b, c, d: [a, b, d], 3, id="a line lost"),
        pytest.param(lambda a, b, c, d: [a, b, c, c, d], 4, id="a line doubled"),
        pytest.param(lambda a, b, c, d: [a, c, b, d], 2, id="lines exchanged"),
        pytest.param(lambda a, b, c, d: [a, b"\n", b, c, d], 2, id="a blank line"),
        pytest.param(lambda a, b, c, d: [b"\0" * 99 + b"\n", b, c, d], 1, id="zeros"),
        pytest.param(lambda a, b, c, d: [a, b[:50] + b"\n", c, d], 2, id="a line cut short"),
        pytest.param(lambda a, b, c, d: [a, b, c[:50] + d], 3, id="two lines run together"),
        pytest.param(lambda a, b, c, d: [a, b, c, d, b"\xff\n"], 5, id="no text at the end"),
        pytest.param(lambda a, b, c, d: [a, b, resealed(c, kind="magic"), d], 3, id="unknown kind"),
        pytest.param(lambda a, b, c, d: [a, b, resealed(c, account="x"), d], 3, id="no account"),
        pytest.param(lambda a, b, c, d: [a, b, resealed(c, trade={"id": 1}), d], 3, id="no trade"),
    ],
)
def test_other_damage_is_refused(path, damage, number):
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = b"".join(damage(*lines))
    path.write_bytes(damaged)
    with pytest.raises(LedgerUnusable, match=f"ledger.jsonl, line {number}: damaged"):
        PaperExchange(path, price=Decimal(100_000))
    assert path.read_bytes() == damaged


def test_only_one_may_have_it(path):
    with reopened(path), pytest.raises(LedgerUnusable, match="in use by another"):
        Ledger(path)
    with reopened(path):
        pass


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(lambda path: path.parent, id="a folder"),
        pytest.param(lambda path: path / "ledger", id="below a file"),
    ],
)
def test_a_file_that_cannot_be_opened(path, bad):
    with pytest.raises(LedgerUnusable, match="cannot be opened"):
        Ledger(bad(path))


@contextmanager
def full_disk(path):
    """Half a line fits, no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_changes_nothing(path):
    whole = path.read_bytes()
    with reopened(path) as exchange:
        before = state(exchange)
        with full_disk(path), pytest.raises(LedgerNotWritten):
            exchange.move_price(Decimal(90_000))
        assert state(exchange) == before
        assert path.read_bytes() == whole
        exchange.move_price(Decimal(95_000))
        after = state(exchange)
    with reopened(path) as exchange:
        assert state(exchange) == after


def test_a_full_disk_is_answered_as_unavailable(paper, trader):
    before = trader.get("/account").json()
    with full_disk(paper.ledger_path):
        answer = trader.post("/futures/isolated/trade", ORDER)
    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert trader.get("/account").json() == before
    assert trader.post("/futures/isolated/trade", ORDER).ok


def test_it_notes_when_a_request_was_signed_and_still_knows_after_a_restart(path):
    signed_at = datetime(2026, 1, 1, 12, 0, 0, 123_000, UTC)
    with reopened(path) as exchange:
        [account] = exchange.book.accounts.values()
        order = OpenTrade.read(ORDER)
        exchange.act(open_trade, account, order, by=By.API, signed_at=signed_at)
    with reopened(path) as exchange:
        assert exchange.ledger(after=4)[0]["signed_at"] == "2026-01-01T12:00:00.123Z"
