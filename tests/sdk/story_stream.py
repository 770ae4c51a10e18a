"""The stream: its methods first, what it told of everything else at the end."""

from dataclasses import asdict

from tests.sdk.runner import shows
from tests.sdk.story import START, Stage

PRIVATE = "wallet/deposit"
PUBLIC = "futures/inverse/btc_usd/lastPrice"


def connect(stage: Stage) -> None:
    """From the handshake to hearing every topic there is."""
    run, credentials = stage.run, asdict(stage.trader.credentials)
    topics = sorted({topic for topic, _ in run.news})
    run.refused("stream.ping", code=None, says="not connected")
    run.ok("stream.connect")
    hello = {"clientName": "axisor", "clientVersion": "1.0.0"}
    run.ok("stream.hello", hello, holds=shows(version="1.0.0"))
    run.ok("stream.ping", holds=lambda answer: answer == "pong")
    run.ok("stream.time", holds=lambda answer: isinstance(answer["time"], int))
    run.ok("stream.authenticate", credentials, holds=shows(authenticated=True))
    run.ok("stream.whoami", holds=shows(apiKey=credentials["key"], userId=stage.trader.id))
    run.ok("stream.send", '{"jsonrpc":"2.0","id":"0","method":"ping"}')
    for topic in topics:
        run.ok("stream.on", {"event": topic})
    run.ok("stream.subscribe", {"topics": topics}, holds=shows(subscribed=topics))


def news(stage: Stage) -> None:
    """Everything that the SDK knows can be told was told."""
    run, control = stage.run, stage.control
    control.set_price(START + 500)
    control.withdraw_announcement(control.announce("Title", "Message", link="https://localhost"))
    run.hears(*run.news)


def break_off(stage: Stage) -> None:
    """A connection that breaks comes back, and is a stranger's then."""
    run = stage.run
    if not run.news:
        return
    run.ok("stream.unsubscribe", {"topics": [PUBLIC]}, holds=shows(unsubscribed=[PUBLIC]))
    run.ok("stream.unsubscribeAll", holds=lambda answer: PRIVATE in answer["unsubscribed"])
    stage.control.fault("stream_cut", times=1)
    run.refused("stream.ping", code=None, says="not connected")
    run.hears(("reconnected", None))
    run.refused("stream.whoami", code="UNAUTHORIZED")
    run.refused("stream.subscribe", {"topics": [PRIVATE]}, code="UNAUTHORIZED")
    wrong = asdict(stage.trader.credentials) | {"secret": "wrong"}
    run.refused("stream.authenticate", wrong, code="UNAUTHORIZED", says="signature")
    run.ok("stream.request", {"method": "ping"}, holds=lambda answer: answer == "pong")
    run.refused("stream.request", {"method": "dance"}, code="NOT_FOUND")
    unknown = {"method": "subscribe", "params": {"topics": ["futures/nowhere"]}}
    run.refused("stream.request", unknown, code="BAD_REQUEST", says="topics")
    run.ok("stream.authenticate", asdict(stage.trader.credentials))


def close(stage: Stage) -> None:
    """No more is listened to, and the connection ends."""
    run = stage.run
    run.ok("stream.off", {"event": PUBLIC})
    run.ok("stream.removeAllListeners", {"event": PRIVATE})
    run.ok("stream.close")
    if run.news:
        run.hears(("close", None))
