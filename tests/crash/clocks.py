"""The platform's clocks at a tenth of their length, so that a round takes seconds.

All of them, so that they stand to each other as in production: a lease is as long as the
signature window, a client gives up long before either is over. Only the sweep, which already
looks once a second, is left at half, and a wish lives for two seconds: a busy machine with many
rounds at once needs them to get from a decision to its claim.
"""

from dataclasses import replace
from pkgutil import resolve_name

TENTH = 10
CLOCKS = (
    "automations.errands:LAPSES_AFTER",
    "automations.evidence:CLOSED_WITHIN",
    "automations.execution:GRACE",
    "automations.intents:SEND_WITHIN",
    "automations.sensing:LOOKING_AT_ACCOUNT",
    "automations.sensing:LOOKING_AT_MARKET",
    "automations.sensing:SHORTEST_LOOK",
    "automations.settlement:LOOK_AGAIN_AFTER",
    "automations.settlement:MARGIN",
    "automations.settlement:UNVERIFIED_WAIT",
    "automations.tasks:SOFT_LIMIT",
    "automations.tasks:execute.soft_time_limit",
    "automations.tasks:execute.time_limit",
    "automations.turns:LEASE",
    "exchanges.lnmarkets.rest:JUST_OUTSIDE",
    "exchanges.lnmarkets.rest:LNMarketsClient.request_window",
    "exchanges.paper.auth:REQUEST_WINDOW",
    "exchanges.protection.buckets:PROTECTIVE_PAUSE",
    "exchanges.protection.limiting:PATIENCE",
)
FIFTH = 5
IN_FIFTHS = ("automations.planning:CLAIM_WITHIN", "automations.planning:FOLLOW_WITHIN")
HALVED = (
    "automations.keeping:PERIOD",
    "automations.recovery:WORKERS_FIRST",
    "automations.management.commands.sweep:PERIOD",
    "axisor.leadership:LEASE_SECONDS",
)

WINDOW_SECONDS = 3.0
"""The exchange's signature window; a lease is as long."""

CLIENT_SECONDS = 1.0
"""When a client gives up waiting for an answer."""

WISH_SECONDS = 2.0
"""How long an intent may be claimed."""

FREEZE_SECONDS = 5.0
"""Longer than lease, window and deadline, shorter than a task's hard limit."""

PARENT_FREEZE_SECONDS = 14.0
"""Longer than the broker waits for an acknowledgement."""

SKEW_LASTS_SECONDS = 4.0
"""How long a clock is wrong."""


def shorten() -> None:
    """Make every clock of this process shorter; before anything runs."""
    for place in CLOCKS:
        _divide(place, TENTH)
    for place in IN_FIFTHS:
        _divide(place, FIFTH)
    for place in HALVED:
        _divide(place, 2)
    _shorten_tasks()
    _shorten_transport()
    _shorten_broker()


def _divide(place: str, by: int) -> None:
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner = resolve_name(f"{module}:{'.'.join(owners)}") if owners else resolve_name(module)
    setattr(owner, name, getattr(owner, name) / by)


def _shorten_tasks() -> None:
    from automations.rules.registry import KINDS

    for name, kind in KINDS.items():
        KINDS[name] = replace(
            kind,
            every=kind.every and kind.every // TENTH,
            timeout=kind.timeout / TENTH,
            backoff=kind.backoff / TENTH,
        )


def _shorten_transport() -> None:
    from exchanges.transport import Transport

    limits = Transport.__init__.__kwdefaults__
    Transport.__init__.__kwdefaults__ = {name: limit / TENTH for name, limit in limits.items()}


def _shorten_broker() -> None:
    from axisor.celery import VISIBILITY_TIMEOUT, app

    app.conf.broker_transport_options |= {
        "visibility_timeout": VISIBILITY_TIMEOUT / TENTH,
        "unacked_restore_interval": 1,
    }
    app.conf.beat_max_loop_interval = 0.5
