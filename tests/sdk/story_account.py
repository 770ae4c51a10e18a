"""Deposits, withdrawals, notifications and dollars of an account."""

from tests.sdk.runner import page, shows
from tests.sdk.story import Stage

ACCOUNT = "account"
HISTORIES = (
    "getLightningDeposits",
    "getOnChainDeposits",
    "getLightningWithdrawals",
    "getOnChainWithdrawals",
    "getNotifications",
)


def fresh_account(stage: Stage) -> None:
    """An account to which nothing has happened."""
    run, trader = stage.run, stage.trader
    known = {"id": trader.id, "username": trader.username, "balance": trader.balance}
    run.ok("account.get", holds=shows(**known, email=None, feeTier=0, syntheticUsdBalance=0))
    for call in HISTORIES:
        run.ok(f"{ACCOUNT}.{call}", holds=page(0))
    run.ok("syntheticUsd.getSwaps", holds=page(0))


def addresses(stage: Stage) -> None:
    """As many as may be unused."""
    run, new = stage.run, "account.addBitcoinAddress"
    run.ok("account.getBitcoinAddress")
    run.ok(new)
    for _ in range(9):
        answer = run.ok(new, {"format": "p2wpkh"})
    run.ok("account.getBitcoinAddress", holds=shows(address=answer["address"]))
    run.refused(new, {"format": "p2tr"}, code="BAD_REQUEST", says="too many unused addresses")


def deposits(stage: Stage) -> None:
    """An invoice that is paid, one that is not, and transactions in every state."""
    run, control, trader = stage.run, stage.control, stage.trader
    new, get = "account.depositLightning", "account.getLightningDeposits"
    given = {"amount": 50_000, "comment": "sdk", "descriptionHash": "ab" * 32}
    paid = run.ok(new, given, holds=lambda answer: answer["paymentRequest"].startswith("ln"))
    run.ok(new, {"amount": 1000})
    control.advance_deposit(trader.id, paid["depositId"])
    run.ok(get, {"settled": True}, holds=page(1, id=paid["depositId"], comment="sdk"))
    run.ok(get, {"settled": False}, holds=page(1, settledAt=None, comment=None))
    newest = run.ok(get, {"limit": 1}, holds=page(1, more=True))
    run.ok(get, {"limit": 1, "cursor": newest["nextCursor"]}, holds=page(1, amount=50_000))
    get = "account.getOnChainDeposits"
    for status in (
        "MEMPOOL",
        "CONFIRMED",
        "IRREVERSIBLE",
        "under_review",
        "not_credited",
        "on_hold",
    ):
        control.receive(trader.id, amount=10_000, status=status)
        run.ok(get, {"status": status}, holds=page(1, amount=10_000, status=status))
    run.ok(get, {"limit": 5}, holds=page(5, more=True))


def lightning_withdrawals(stage: Stage) -> None:
    """One that goes through, one that comes back."""
    run, control, trader = stage.run, stage.control, stage.trader
    pay, get = "account.withdrawLightning", "account.getLightningWithdrawals"
    run.refused(pay, {"invoice": "test"}, code="BAD_REQUEST", says="Send a correct BOLT 11 invoice")
    for status in ("processed", "failed"):
        invoice = run.ok("account.depositLightning", {"amount": 2000})["paymentRequest"]
        withdrawal = run.ok(pay, {"invoice": invoice}, holds=shows(amount=2000))
        run.ok(get, {"status": "processing"}, holds=page(1, id=withdrawal["id"]))
        control.advance_withdrawal(trader.id, withdrawal["id"], status=status)
        run.ok(get, {"status": status}, holds=page(1, status=status))
    run.ok(get, {"limit": 1}, holds=page(1, more=True))


def on_chain_withdrawals(stage: Stage) -> None:
    """One for each state."""
    run, control, trader = stage.run, stage.control, stage.trader
    send, get = "account.withdrawOnChain", "account.getOnChainWithdrawals"
    wrong = {"address": "test", "amount": 10_000}
    run.refused(send, wrong, code="BAD_REQUEST", says="Invalid address")
    address = run.ok("account.getBitcoinAddress")["address"]
    for status in ("processing", "processed", "canceled", "rejected"):
        given = {"address": address, "amount": 10_000}
        withdrawal = run.ok(send, given, holds=shows(status="pending", address=address))
        run.ok(get, {"status": "pending"}, holds=page(1, txId=None))
        control.advance_withdrawal(trader.id, withdrawal["id"], status=status)
        run.ok(get, {"status": status}, holds=page(1, id=withdrawal["id"]))
    run.ok(get, {"limit": 2}, holds=page(2, more=True))


def notifications(stage: Stage) -> None:
    """Unread ones, until they are read."""
    run, get = stage.run, "account.getNotifications"
    stage.control.notify(stage.trader.id, type="news", message="Hello")
    newest = run.ok(get, {"limit": 1}, holds=page(1, more=True))
    run.ok(get, {"cursor": newest["nextCursor"]})
    run.ok("account.readNotifications")
    run.ok(get, holds=page(0))
    if run.sdk.retries:  # the others cannot ask for those that were read
        run.ok(get, {"read": True, "limit": 1}, holds=page(1, more=True, read=True))


def swaps(stage: Stage) -> None:
    """There and back: 10,000 sats are 10 dollars, asked for in cents."""
    run, swap = stage.run, "syntheticUsd.newSwap"
    there = {"inAmount": 10_000, "inAsset": "BTC", "outAsset": "USD"}
    run.ok(swap, there, holds=shows(outAmount=10, outAsset="USD"))
    run.ok("account.get", holds=shows(syntheticUsdBalance=10))
    back = {"inAmount": 500, "inAsset": "USD", "outAsset": "BTC"}
    run.ok(swap, back, holds=shows(inAmount=5, outAmount=5000))
    run.refused(swap, back | {"inAmount": 10_000}, code="BAD_REQUEST")
    newest = run.ok("syntheticUsd.getSwaps", {"limit": 1}, holds=page(1, more=True, inAsset="USD"))
    rest = {"limit": 1, "cursor": newest["nextCursor"]}
    run.ok("syntheticUsd.getSwaps", rest, holds=page(1, inAsset="BTC"))
