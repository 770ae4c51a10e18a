"""Addresses and invoices: the published examples are read, what is made can be read again."""

from datetime import UTC, datetime

import pytest

from exchanges.paper.bitcoin import AddressFormat, is_address, make_address, make_invoice
from exchanges.paper.bitcoin import read_invoice as read

P2WPKH = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
P2TR = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"
COFFEE = (
    "lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4"
    "jsxqzpuaztrnwngzn3kdzw5hydlzf03qdgm2hdq27cqv3agm2awhz5se903vruatfhq77w3ls4evs3ch9zw97j25emudu"
    "pq63nyw24cg27h2rspfj9srp"
)
DONATION = (
    "lnbc1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kge"
    "tjypeh2ursdae8g6twvus8g6rfwvs8qun0dfjkxaq8rkx3yf5tcsyz3d73gafnh3cax9rn449d9p5uxz9ezhhypd0elx"
    "87sjle52x86fux2ypatgddc6k63n7erqz25le42c4u4ecky03ylcqca784w"
)
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        pytest.param(P2WPKH, True, id="BIP 173"),
        pytest.param(P2WPKH.upper(), True, id="in capitals"),
        pytest.param(P2TR, True, id="BIP 350"),
        pytest.param("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", True, id="test network"),
        pytest.param(P2WPKH[:-1] + "5", False, id="a wrong letter"),
        pytest.param("B" + P2WPKH[1:], False, id="letters of both cases"),
        pytest.param("ab1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", False, id="another network"),
        pytest.param(COFFEE, False, id="an invoice"),
        pytest.param("", False, id="nothing"),
        pytest.param("bc1", False, id="no data"),
        pytest.param("bc1é", False, id="not ASCII"),
    ],
)
def test_addresses(text, valid):
    assert is_address(text) is valid


@pytest.mark.parametrize("format_", AddressFormat)
def test_what_is_given_out_is_an_address(format_):
    first, again, other = (make_address(format_, seed=seed) for seed in ("a", "a", "b"))
    assert is_address(first)
    assert first == again != other
    assert first.startswith("bcrt1p" if format_ is AddressFormat.P2TR else "bcrt1q")


def test_the_published_invoice():
    invoice = read(COFFEE)
    assert invoice.amount == 250_000
    assert (
        invoice.payment_hash == "0001020304050607080900010203040506070809000102030405060708090102"
    )


@pytest.mark.parametrize("amount", [1, 999, 21_000_000 * 100_000_000])
def test_what_is_given_out_is_an_invoice(amount):
    invoice = make_invoice(amount, payment_hash="ab" * 32, at=AT)
    assert invoice.startswith("lnbcrt")
    assert (read(invoice).amount, read(invoice).payment_hash) == (amount, "ab" * 32)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("lnbc", id="a beginning"),
        pytest.param(COFFEE[:-1] + "q", id="a wrong letter"),
        pytest.param(DONATION, id="no amount"),
        pytest.param(P2WPKH, id="an address"),
        pytest.param("x" * 100_000, id="long"),
    ],
)
def test_no_invoice(text):
    with pytest.raises(ValueError):
        read(text)
