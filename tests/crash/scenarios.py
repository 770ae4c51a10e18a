"""What may happen to a round, how often, and the draw from the seed."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Literal, get_args

from exchanges.failpoints import PLACES, Place
from tests.crash.clocks import CLIENT_SECONDS, WINDOW_SECONDS
from tests.crash.strikes import How, Strike

Outage = Literal[
    "valkey_killed",
    "valkey_emptied",
    "postgres_restarted",
    "beat",
    "sweep",
    "worker",
    "worker_frozen",
]
Deed = Literal["adds_margin", "closes", "deletes"]

OUTAGES: tuple[Outage, ...] = get_args(Outage)

ONE = {"amount": 200_000, "max_per_position": 200_000, "max_per_day": 200_000}
TWO = {"amount": 100_000, "max_per_position": 200_000, "max_per_day": 400_000}
CAPPED = {"amount": 60_000, "max_per_position": 120_000, "max_per_day": 120_000}
MANY = {"amount": 60_000, "max_per_position": 480_000, "max_per_day": 480_000}
OFTEN = {"amount": 20_000, "max_per_position": 480_000, "max_per_day": 480_000}
TIGHT = {"amount": 60_000, "max_per_position": 60_000, "max_per_day": 60_000}
"""Sats. The position needs 161,203 more to be below its threshold."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What one round goes through.

    `strikes` wait at places of the platform, `fault` strikes the acting call at the exchange.
    The message is sent `deliveries` times, `apart` seconds from each other, for each of `slots`
    slots. `deed` is what a person does once a strike or fault was met, `outage` what goes down
    `outage_after` seconds after the price fell, `poison` says that messages nobody can run come
    too. `action` is what the guard does: caps to add margin, or None to close.
    """

    name: str
    strikes: tuple[Strike, ...] = ()
    fault: dict[str, Any] = field(default_factory=dict)
    deliveries: int = 1
    apart: float = 0.1
    slots: int = 1
    deed: Deed | None = None
    outage: Outage | None = None
    outage_after: float = 0
    poison: bool = False
    action: dict[str, int] | None = field(default_factory=lambda: ONE)
    may_stay_unprotected: bool = False


def draw(seed: int, number: int) -> Scenario:
    """The scenario of a round: the same for the same seed and number."""
    random = Random(f"{seed}:{number}")
    makers, weights = zip(*_WEIGHTS, strict=True)
    [make] = random.choices(makers, weights)
    scenario = make(random)
    if scenario.action is not ONE:
        return scenario
    [action] = random.choices([ONE, TWO, CAPPED, None], [4, 3, 2, 1.5])
    return replace(scenario, action=action)


def _struck(*hows: How) -> Callable[[Random], Scenario]:
    def make(random: Random) -> Scenario:
        how, place = random.choice(hows), random.choice(PLACES)
        return Scenario(f"{how} at {place}", (Strike(place, how),))

    return make


def _struck_twice(random: Random) -> Scenario:
    first, second = random.sample(PLACES, 2)
    hows: list[How] = ["kill", "freeze", "raise"]
    strikes = (Strike(first, random.choice(hows)), Strike(second, random.choice(hows)))
    return Scenario("two strikes", strikes)


def _fault(random: Random) -> dict[str, Any]:
    """What the exchange does to the acting call, each row as often as the others."""
    late = round(random.uniform(CLIENT_SECONDS + 0.2, WINDOW_SECONDS - 0.2), 2)
    return random.choice(
        [
            {"kind": "cut_before"},
            {"kind": "cut_after"},
            {"kind": "fail_before"},
            {"kind": "fail_after"},
            {"kind": "too_many_requests"},
            {"kind": "delay_before", "seconds": late},
            {"kind": "delay_before", "seconds": late},
            {"kind": "delay_before", "seconds": WINDOW_SECONDS + 0.5},
            {"kind": "delay_after", "seconds": late},
        ]
    )


def _exchange(random: Random) -> Scenario:
    fault = _fault(random)
    return Scenario(f"exchange: {fault['kind']}", fault=fault)


def _exchange_and_struck(random: Random) -> Scenario:
    fault = _fault(random)
    place: Place = random.choice(["leaving", "sent", "answered", "settled"])
    how: How = random.choice(["kill", "freeze"])
    return Scenario(f"{fault['kind']} and {how}", (Strike(place, how),), fault)


def _blind(random: Random) -> Scenario:
    fault = random.choice([{"kind": "cut_after"}, {"kind": "cut_before"}])
    strike = Strike("leaving", "fail_lists", random.randint(3, 15))
    return Scenario(f"{fault['kind']}, lists fail", (strike,), fault)


def _skewed(random: Random) -> Scenario:
    """A clock that is off by less or more than the window, and something that makes it matter."""
    place: Place = random.choice(["accepted", "planned", "claimed"])
    seconds = random.choice([-1.4, -0.5, 0.5, 1.4]) * WINDOW_SECONDS
    fault = random.choice([{}, {"kind": "cut_before"}, {"kind": "cut_after"}])
    then: How = random.choice(["kill", "freeze"])
    strikes = (Strike(place, "skew", seconds=seconds), Strike("leaving", then))
    return Scenario(f"clock off at {place}", strikes[: random.randint(1, 2)], fault)


def _lost_commit(random: Random) -> Scenario:
    place: Place = random.choice(["accepted", "planned", "claimed", "answered"])
    return Scenario("lost COMMIT reply", (Strike(place, "lose_commit", random.randint(1, 3)),))


def _redelivered(random: Random) -> Scenario:
    return Scenario(
        "redelivered",
        deliveries=random.randint(2, 12),
        apart=random.choice([0.0, 0.1, 0.4]),
        slots=random.choice([1, 1, 4]),
    )


def _poison(_: Random) -> Scenario:
    return Scenario("malformed and forged messages", poison=True)


def _outage(random: Random) -> Scenario:
    outage = random.choice(OUTAGES)
    busy = {"kind": "delay_after", "seconds": 0.8}
    after = round(random.uniform(0, 2), 1)
    return Scenario(f"outage: {outage}", fault=busy, outage=outage, outage_after=after)


def _person(random: Random) -> Scenario:
    deed: Deed = random.choice(["adds_margin", "closes"])
    fault = random.choice([{"kind": "cut_before"}, {"kind": "cut_after"}])
    return Scenario(
        f"{fault['kind']}, a person {deed}", fault=fault, deed=deed, may_stay_unprotected=True
    )


def _deleted(random: Random) -> Scenario:
    place: Place = random.choice(["accepted", "planned", "claimed", "signed"])
    return Scenario(
        f"deleted at {place}", (Strike(place, "freeze"),), deed="deletes", may_stay_unprotected=True
    )


_WEIGHTS: tuple[tuple[Callable[[Random], Scenario], float], ...] = (
    (_struck("kill"), 18),
    (_struck("kill_worker"), 3),
    (_struck("freeze"), 9),
    (_struck("raise"), 4),
    (_struck_twice, 5),
    (_exchange, 10),
    (_exchange_and_struck, 4),
    (_blind, 3),
    (_skewed, 5),
    (_lost_commit, 5),
    (_redelivered, 4),
    (_poison, 3),
    (_person, 3),
    (_deleted, 3),
    (_outage, 3 * len(OUTAGES)),
)
"""In per cent of the rounds: outages three of each kind."""

LATE = {"kind": "delay_before", "seconds": CLIENT_SECONDS * 2}
FROZEN_PLAN = Scenario("freeze at planned", (Strike("planned", "freeze"),), action=MANY)
REDELIVERED = Scenario("redelivered", deliveries=8, apart=0.3, action=OFTEN)

PROVOKING: dict[str, Scenario] = {
    "no_unique_key": REDELIVERED,
    "no_fence": FROZEN_PLAN,
    "no_window": Scenario("late accept", fault=LATE, action=MANY),
    "intent_after_call": Scenario("kill at sent", (Strike("sent", "kill"),), action=MANY),
    "server_error_is_not_done": Scenario(
        "exchange: fail_after", fault={"kind": "fail_after"}, action=MANY
    ),
    "failed_list_is_empty": Scenario(
        "cut_after, lists fail",
        (Strike("leaving", "fail_lists", 30),),
        {"kind": "cut_after"},
        action=MANY,
    ),
    "signs_again": Scenario("exchange: cut_after", fault={"kind": "cut_after"}, action=MANY),
    "slot_made_anew": REDELIVERED,
    "budget_outside": Scenario("six slots at once", slots=6, action=TIGHT),
    "no_deadline": FROZEN_PLAN,
}
"""For each planted bug, a scenario that it should not survive; its rounds are mixed from these
and the ordinary draw."""
