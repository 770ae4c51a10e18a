"""What a key may do, and under which conditions the exchange refuses whoever asks."""

import pytest

from exchanges.paper.scopes import Scope
from tests.exchanges.paper.trader import Trader

READS = {
    "/account": "account:read",
    "/account/address/bitcoin": "account:deposits:read",
    "/account/deposits/lightning": "account:deposits:read",
    "/account/deposits/on-chain": "account:deposits:read",
    "/account/withdrawals/lightning": "account:withdrawals:read",
    "/account/withdrawals/on-chain": "account:withdrawals:read",
    "/account/notifications": "account:notifications:read",
    "/futures/isolated/trades/open": "futures:isolated:read",
    "/futures/isolated/trades/running": "futures:isolated:read",
    "/futures/isolated/trades/closed": "futures:isolated:read",
    "/futures/isolated/trades/canceled": "futures:isolated:read",
    "/futures/isolated/funding-fees": "futures:isolated:read",
    "/futures/cross/position": "futures:cross:read",
    "/futures/cross/orders/open": "futures:cross:read",
    "/futures/cross/orders/filled": "futures:cross:read",
    "/futures/cross/transfers": "futures:cross:read",
    "/futures/cross/funding-fees": "futures:cross:read",
    "/synthetic-usd/swaps": "synthetic-usd:read",
}
POSTS = {
    "/account/address/bitcoin": "account:deposits:write",
    "/account/deposit/lightning": "account:deposits:write",
    "/account/withdraw/lightning": "account:withdrawals:write",
    "/account/withdraw/on-chain": "account:withdrawals:write",
    "/futures/isolated/trade": "futures:isolated:write",
    "/futures/isolated/trade/close": "futures:isolated:write",
    "/futures/isolated/trade/cancel": "futures:isolated:write",
    "/futures/isolated/trades/cancel-all": "futures:isolated:write",
    "/futures/isolated/trade/add-margin": "futures:isolated:write",
    "/futures/isolated/trade/cash-in": "futures:isolated:write",
    "/futures/cross/order": "futures:cross:write",
    "/futures/cross/order/cancel": "futures:cross:write",
    "/futures/cross/orders/cancel-all": "futures:cross:write",
    "/futures/cross/position/close": "futures:cross:write",
    "/futures/cross/deposit": "futures:cross:write",
    "/futures/cross/withdraw": "futures:cross:write",
    "/synthetic-usd/swap": "synthetic-usd:write",
}
PUTS = {
    "/account/notifications": "account:notifications:write",
    "/futures/isolated/trade/stoploss": "futures:isolated:write",
    "/futures/isolated/trade/takeprofit": "futures:isolated:write",
    "/futures/cross/leverage": "futures:cross:write",
}
DELETES = {
    "/futures/isolated/trade/stoploss": "futures:isolated:write",
    "/futures/isolated/trade/takeprofit": "futures:isolated:write",
}
ROUTES = [
    pytest.param(method, path, scope, id=f"{method} {path}")
    for method, routes in {"GET": READS, "POST": POSTS, "PUT": PUTS, "DELETE": DELETES}.items()
    for path, scope in routes.items()
]


@pytest.fixture(scope="module")
def by_scope(shared_paper):
    """One client per scope whose key may do all but that."""
    account = shared_paper.control.create_account(balance=1_000_000)

    def client(scope):
        others = [each for each in Scope if each != scope]
        _, credentials = shared_paper.control.create_key(account.id, permissions=others)
        return Trader(shared_paper.url, credentials)

    return {scope: client(scope) for scope in (*Scope, None)}


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_a_missing_scope_is_named(by_scope, method, path, scope):
    answer = by_scope[scope].send(method, path)
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    assert answer.json()["message"] == f"The API key lacks the scope {scope}"
    assert by_scope[None].send(method, path).status_code in (200, 400)


def test_a_key_may_not_withdraw_unless_told(paper, account, trader):
    for path in ("lightning", "on-chain"):
        assert trader.post(f"/account/withdraw/{path}", {}).status_code == 403


def test_a_revoked_key_is_unknown_and_the_others_work(paper, account, trader):
    key_id, credentials = paper.control.create_key(account.id, permissions=["account:read"])
    second = Trader(paper.url, credentials)
    assert second.get("/account").json() == trader.get("/account").json()
    paper.control.revoke_key(account.id, key_id)
    answer = second.get("/account")
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")
    assert trader.get("/account").ok
    with pytest.raises(OSError, match="revoked already"):
        paper.control.revoke_key(account.id, key_id)


def test_the_ledger_shows_no_secret_of_a_key(paper, account):
    _, credentials = paper.control.create_key(account.id)
    shown = str(paper.control.ledger())
    for secret in (credentials.key, credentials.secret, credentials.passphrase):
        assert secret in paper.ledger_path.read_text()
        assert secret not in shown


@pytest.mark.parametrize(
    ("condition", "status", "code"),
    [
        pytest.param("maintenance", 503, "SERVICE_UNAVAILABLE", id="maintenance"),
        pytest.param("geo_block", 403, "FORBIDDEN", id="country"),
    ],
)
@pytest.mark.parametrize("alone", [pytest.param(True, id="one"), pytest.param(False, id="all")])
def test_a_condition_refuses_until_it_is_lifted(
    paper, account, trader, condition, status, code, alone
):
    other = Trader(paper.url, paper.control.create_account(balance=1).credentials)
    account_id = account.id if alone else None
    paper.control.set_condition(condition, on=True, account_id=account_id)
    answer = trader.get("/account")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert other.get("/account").ok is alone
    assert trader.get("/futures/ticker").ok
    paper.control.set_condition(condition, on=False, account_id=account_id)
    assert trader.get("/account").ok


@pytest.mark.parametrize(
    ("path", "body", "limited"),
    [
        pytest.param("/futures/isolated/trade", {}, True, id="trade"),
        pytest.param("/futures/cross/order", {}, True, id="order"),
        pytest.param("/account/deposit/lightning", {}, True, id="deposit"),
        pytest.param("/futures/isolated/trade/close", {}, False, id="close"),
        pytest.param("/futures/cross/position/close", None, False, id="close the position"),
    ],
)
def test_a_tier_limit_refuses_what_adds(paper, account, trader, path, body, limited):
    paper.control.set_condition("tier_limit", on=True, account_id=account.id)
    answer = trader.post(path, body)
    assert (answer.json()["code"] == "TIER_LIMIT_EXCEEDED") is limited
    assert trader.get("/account").ok


@pytest.mark.parametrize(
    ("act", "message"),
    [
        pytest.param(lambda c, a: c.set_condition("war", on=True), "condition: ", id="condition"),
        pytest.param(
            lambda c, a: c.set_condition("maintenance", on=True, account_id="x"),
            "account: unknown",
            id="account",
        ),
        pytest.param(lambda c, a: c.create_key(a, permissions=["all"]), "permissions", id="scope"),
        pytest.param(lambda c, a: c.create_key("x"), "account: unknown", id="key of nobody"),
        pytest.param(lambda c, a: c.revoke_key(a, "x"), "id: no such key", id="no key"),
        pytest.param(lambda c, a: c.advance_deposit(a, "x"), "id: unknown", id="no deposit"),
    ],
)
def test_bad_input(paper, account, act, message):
    with pytest.raises(OSError, match=message):
        act(paper.control, account.id)
