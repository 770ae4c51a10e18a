"""The market, and how the exchange refuses; the order in which everything is told."""

from collections.abc import Callable
from dataclasses import dataclass

from exchanges.paper.control_client import ControlClient, PaperAccount
from tests.sdk.runner import Runner, page, shows
from tests.sdk.table import Outcome

START = 100_000
HISTORY = "2024-01-01T00:00:00.000Z"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
MARKET_ORDER = {"type": "market", "side": "buy", "quantity": 1000, "leverage": 10}


@dataclass(frozen=True)
class Stage:
    """The SDK, the exchange it talks to, and whose key the client `trader` has."""

    run: Runner
    control: ControlClient
    trader: PaperAccount


Scene = Callable[[Stage], None]


def tell(stage: Stage, *scenes: Scene) -> None:
    """One scene after the other; one that cannot go on is a failure, and the next one comes."""
    for scene in scenes:
        try:
            scene(stage)
        except (KeyError, IndexError, TypeError) as error:
            stage.run.table.add(f"scene {scene.__name__}", Outcome.FAILED, repr(error))


def market(stage: Stage) -> None:
    """What everybody is told, before anything has happened."""
    run = stage.run
    run.ok("ping", holds=lambda answer: "pong" in answer, by="guest")
    run.ok("time", holds=lambda answer: "time" in answer, by="guest")
    run.ok("request", {"method": "GET", "path": "/time"}, holds=lambda answer: "time" in answer)
    run.ok("requestRaw", {"method": "GET", "path": "/ping"}, holds=lambda answer: "pong" in answer)
    run.ok("futures.getTicker", holds=shows(lastPrice=START, index=START, fundingRate=0))
    run.ok("futures.getLeaderboard", holds=lambda answer: not any(answer.values()))
    run.ok("futures.getFundingSettlements", holds=page(0))
    run.ok("futures.getFundingSettlements", {"limit": 5}, holds=page(0))
    run.ok("syntheticUsd.getBestPrice", holds=shows(askPrice=START, bidPrice=START))


def candles(stage: Stage) -> None:
    """A history of an hour, page by page."""
    run, get = stage.run, "futures.getCandles"
    lines = [f"2024-01-01T00:{minute:02}:00Z,100,110,90,105,7" for minute in range(60)]
    stage.control.load_candles("\n".join(["time,open,high,low,close,volume", *lines]))
    wanted = {"from": HISTORY, "to": "2024-01-01T00:59:00.000Z", "limit": 40}
    newest = run.ok(get, wanted, holds=page(40, more=True, open=100, volume=7))
    run.ok(get, wanted | {"cursor": newest["nextCursor"]}, holds=page(20))
    run.ok(get, wanted | {"range": "1h"}, holds=page(1, high=110, volume=420))
    run.ok(
        get, {"from": "2022-01-01T00:00:00.000Z", "to": "2023-01-01T00:00:00.000Z"}, holds=page(0)
    )
    run.refused(get, wanted | {"cursor": "yesterday"}, code="BAD_REQUEST", says="cursor")


def removed(stage: Stage) -> None:
    """What the exchange no longer has."""
    run = stage.run
    for call in ("oracle.getIndex", "oracle.getLastPrice"):
        run.removed(call, {"limit": 1})
    run.removed("account.getInternalDeposits")
    run.removed("account.getInternalWithdrawals")
    run.removed("account.withdrawInternal", {"amount": 1000, "toUsername": "somebody"})
    for call in run.calls:
        if call.startswith("v2."):
            run.removed(call, {"id": UNKNOWN_ID})


def refusals(stage: Stage) -> None:
    """Errors with their code and their words."""
    run, control, trader = stage.run, stage.control, stage.trader
    trade = "futures.isolated.newTrade"
    run.refused("account.get", code="UNAUTHORIZED", says="signature", by="stranger")
    run.refused("account.get", code="FORBIDDEN", by="reader")
    run.refused(trade, MARKET_ORDER | {"leverage": 1000}, code="BAD_REQUEST", says="leverage")
    run.refused(trade, MARKET_ORDER | {"quantity": 400_000}, code="BAD_REQUEST", says="balance")
    for condition, code in (("geo_block", "FORBIDDEN"), ("tier_limit", "TIER_LIMIT_EXCEEDED")):
        control.set_condition(condition, on=True, account_id=trader.id)
        run.refused(trade, MARKET_ORDER, code=code)
        control.set_condition(condition, on=False, account_id=trader.id)
    if run.has("request"):
        run.refused("request", {"method": "GET", "path": "/nowhere"}, code=None, says="HTTP 404")


def faults(stage: Stage) -> None:
    """Some SDKs ask again by themselves after what has not executed anything."""
    run, control = stage.run, stage.control
    control.fault("fail_before", status=500, path="/v3/account", times=1)
    run.refused("account.get", code="INTERNAL_SERVER_ERROR")
    control.fault("not_json", path="/v3/account", times=1)
    run.refused("account.get", code=None)
    for kind, code in (
        ("too_many_requests", "TOO_MANY_REQUESTS"),
        ("fail_before", "SERVICE_UNAVAILABLE"),
    ):
        control.fault(kind, path="/v3/account", times=1)
        _unless_retried(run, "account.get", code=code)


def limits(stage: Stage) -> None:
    """One unsigned request in a second, for an SDK that waits as long as it is told."""
    if stage.run.sdk.retries:
        stage.control.limit("strict")
        for _ in range(3):
            stage.run.ok("futures.getTicker", by="guest")
        stage.control.limit("none")


def _unless_retried(run: Runner, call: str, *, code: str) -> None:
    if run.sdk.retries:
        run.ok(call)
    else:
        run.refused(call, code=code)
