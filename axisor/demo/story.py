"""The acts: an account, a position, a fall, the rescue, and everything put back."""

import itertools
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from axisor.demo.errors import CannotShow
from axisor.demo.platform import Guard, Platform
from axisor.demo.screen import Screen, clock, sats, usd
from axisor.demo.stage import LEVERAGE, Position, Stage, stage_of
from exchanges.paper.control_client import ControlClient

STEP_SECONDS = 0.5
STEPS_TO_THRESHOLD = 10
STEPS_BEYOND = 30
FURTHEST = Decimal("0.75")
"""How far the fall goes on from the threshold towards liquidation."""
PATIENCE_SECONDS = 60


def tell(run: Mapping[str, str], screen: Screen) -> None:
    """Show everything, once, on the platform that `run.json` describes.

    Raises `CannotShow`, also when the position was not saved, and `requests` exceptions.
    """
    platform = Platform(run)
    guard = platform.guard()
    control = ControlClient(run["paper"].removesuffix("/v3"))
    with stage_of(control, guard.account_name) as stage:
        _introduce(stage, guard, screen)
        opened = _open(stage, guard, screen)
        execution = _let_it_fall(stage, platform, guard, opened, screen)
        _explain(stage, guard, opened, execution, screen)
        _compare(stage, opened, screen)
    screen.act(f"The price is back at {usd(opened.entry)}, and the demo's position is closed")
    screen.say("   `make demo` shows it again, as often as you like.")


def fall(threshold: Decimal) -> Iterator[Decimal]:
    """Shares of the margin to be used, step by step: fast to the threshold, slowly beyond."""
    for step in range(1, STEPS_TO_THRESHOLD + 1):
        yield threshold * step / STEPS_TO_THRESHOLD
    for step in itertools.count(1):
        beyond = FURTHEST * min(step, STEPS_BEYOND) / STEPS_BEYOND
        yield threshold + (1 - threshold) * beyond


def _introduce(stage: Stage, guard: Guard, screen: Screen) -> None:
    does = f"adds {sats(guard.amount)} when {guard.threshold:.0%} of a position's margin is used"
    facts = {
        "Account": f"{guard.account_name}, {sats(stage.balance)} free",
        "Guard": f"{guard.name}: {does}",
        "Schedule": f"looks every {guard.period} s",
    }
    screen.act("A paper account and its margin guard", facts)


def _open(stage: Stage, guard: Guard, screen: Screen) -> Position:
    opened = stage.open()
    facts = {
        "Long": f"{opened.quantity:,} USD at {usd(opened.entry)}, leverage {LEVERAGE}",
        "Margin": sats(opened.margin),
        "Guard acts": f"from {usd(opened.price_when_used(guard.threshold))}",
        "Liquidated": f"at {usd(opened.liquidation)}",
    }
    screen.act("A position is opened by hand; the platform is not told", facts)
    return opened


def _let_it_fall(
    stage: Stage, platform: Platform, guard: Guard, opened: Position, screen: Screen
) -> dict[str, Any]:
    screen.act("The price falls")
    deadline = time.monotonic() + PATIENCE_SECONDS
    with screen.watching(guard) as watch:
        for share in fall(guard.threshold):
            position = stage.move_price(opened.price_when_used(share))
            guard = platform.again(guard)
            watch.show(position, guard)
            execution = platform.rescue(guard, opened.id)
            if execution:
                watch.show(stage.position(), platform.again(guard))
                return execution
            if time.monotonic() > deadline:
                raise CannotShow(f"The position was not saved in time. {_excuse(guard)}")
            time.sleep(STEP_SECONDS)
    raise AssertionError("the fall has no end")


def _explain(
    stage: Stage, guard: Guard, opened: Position, execution: dict[str, Any], screen: Screen
) -> None:
    line = stage.margin_line(opened)
    added_at = datetime.fromisoformat(line["at"])
    crossed_at = stage.crossed_at(opened, guard.threshold)
    seconds = (added_at - crossed_at).total_seconds()
    ages = execution["inputs"]["ages"]
    ledger = f"line {line['seq']}: {line['kind']}, {sats(line['request']['amount'])}"
    facts = {
        "Reason": execution["reason_text"],
        "It had seen": f"the price {ages['ticker']:.3f} s and the account {ages['holdings']:.3f} s"
        " before it decided",
        "It took": f"{execution['duration_ms']} ms, started by {execution['slot']}",
        "Crossed": clock(crossed_at),
        "Added": f"{clock(added_at)}, says the exchange's ledger in {ledger}",
    }
    screen.act(f"Saved: the margin was there {seconds:.1f} s after the crossing", facts)


def _compare(stage: Stage, opened: Position, screen: Screen) -> None:
    saved = stage.position()
    facts = {
        "Margin": f"{sats(opened.margin)}, now {sats(saved.margin)}",
        "Margin used": f"{opened.margin_used_at(saved.price):.1%}, now {saved.margin_used:.1%}",
        "Liquidated at": f"{usd(opened.liquidation)}, now {usd(saved.liquidation)}",
    }
    screen.act(f"The same price, {usd(saved.price)}", facts)
    time.sleep(STEP_SECONDS)
    survivor = stage.move_price(opened.liquidation)
    facts = {
        "Without": "the position would be gone, and its margin with it",
        "With": f"it runs, with {survivor.margin_used:.1%} of its margin used",
    }
    screen.act(f"The price falls to {usd(survivor.price)}, where it would have ended", facts)
    time.sleep(STEP_SECONDS)


def _excuse(guard: Guard) -> str:
    if guard.checked_at is None:
        return f"{guard.name} never looked: are beat and workers up?"
    return f"{guard.name} said last, at {clock(guard.checked_at)}: {guard.says}"
