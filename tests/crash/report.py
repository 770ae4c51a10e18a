"""The figures of a run: for people as tables, for programs as JSON."""

from collections import Counter
from itertools import chain
from statistics import quantiles
from typing import Any

from rich.console import Console
from rich.table import Table

from exchanges.failpoints import PLACES
from tests.crash.result import Result

console = Console(width=110, highlight=False)

NEVER = {"duplicates": "once", "losses": "not_lost", "guesses": "not_guessed"}
"""What must not happen at all, and the judge's rule that finds it."""

STATES = ("confirmed", "satisfied", "rejected", "lapsed", "needs_operator")


def figures(result: Result, *, seed: int) -> dict[str, Any]:
    """All that is known of a run of the platform, times in seconds."""
    verdict, broken = result.verdict, result.broken
    return {
        "seed": seed,
        "rounds": result.rounds,
        "is_right": not (result.broken or result.stuck),
        **{name: broken.get(rule, 0) for name, rule in NEVER.items()},
        "bound": bound(result.rounds),
        "violations": verdict["violations"],
        "stuck": result.stuck,
        "effects": verdict["effects"],
        "intents": verdict["intents"],
        "states": {state: verdict["states"].get(state, 0) for state in STATES},
        "kills": _kills(result.strikes),
        "struck": {f"{how} at {place}": n for (how, place), n in result.strikes.items()},
        "restarts": dict(result.restarts),
        "scenarios": dict(result.scenarios),
        "resolved": spread(list(chain.from_iterable(result.resolved.values()))),
        "resolved_by_group": {name: spread(found) for name, found in result.resolved.items()},
        "seconds": round(result.seconds, 1),
    }


def show(found: dict[str, Any]) -> None:
    """Print the figures of a run of the platform."""
    console.print(_struck(found["struck"]), _counted("restarts", found["restarts"]))
    console.print(_resolved(found["resolved_by_group"]))
    table = Table("figure", "value", title=f"{found['rounds']} rounds, seed {found['seed']}")
    for name, value in _rows(found):
        table.add_row(name, str(value))
    console.print(table)
    for violation in found["violations"]:
        console.print(violation)
    for stuck in found["stuck"]:
        console.print(f"not over in time: {stuck}")
    if not found["is_right"]:
        again = f"--rounds {found['rounds']} --seed {found['seed']}"
        console.print(f"again: python -m tests.crash {again}")


def planted_figures(bug: str, result: Result, *, seed: int) -> dict[str, Any]:
    """Whether a bug was caught, by which rules and at which round (None: not)."""
    broken = result.effects_broken
    rounds = [v["round"] for v in result.verdict["violations"] if v["rule"] in broken]
    return {
        "bug": bug,
        "seed": seed,
        "rounds": result.rounds,
        "is_right": bool(broken),
        "caught_at": min(filter(None, rounds), default=None),
        "caught_by": broken,
        "seconds": round(result.seconds, 1),
    }


def show_planted(found: dict[str, Any]) -> None:
    """Say whether a bug was caught."""
    caught = f"caught at round {found['caught_at']} by {found['caught_by']}"
    said = caught if found["is_right"] else "NOT CAUGHT"
    console.print(f"{found['bug']}: {said} ({found['rounds']} rounds, {found['seconds']:.0f} s)")


def naive_figures(result: Result, effects: dict[int, int], *, seed: int) -> dict[str, Any]:
    """How often the baseline did twice what was wanted once, or not at all."""
    twice = [count for count in effects.values() if count > 1]
    return {
        "naive": True,
        "seed": seed,
        "rounds": result.rounds,
        "is_right": True,
        "twice": len(twice),
        "duplicates": sum(twice) - len(twice),
        "never": sum(not count for count in effects.values()),
        "seconds": round(result.seconds, 1),
    }


def show_naive(found: dict[str, Any]) -> None:
    """Say how the baseline did."""
    console.print(
        f"naive retry loop, {found['rounds']} rounds: {found['twice']} positions acted on more "
        f"than once ({found['duplicates']} duplicates), {found['never']} never"
    )


def bound(rounds: int) -> float:
    """The share of rounds that, at 95 %, a thing never seen stays below: the rule of three."""
    return 3 / rounds


def spread(seconds: list[float]) -> dict[str, float]:
    """How many there are, their median, their 99th percentile and the longest."""
    cuts = quantiles(seconds * 2, n=100, method="inclusive") if seconds else [0.0] * 99
    longest = max(seconds, default=0.0)
    found = {"times": len(seconds), "p50": cuts[49], "p99": cuts[98], "max": longest}
    return {name: round(value, 1) for name, value in found.items()}


def _rows(found: dict[str, Any]) -> list[tuple[str, object]]:
    return [
        ("effects at the exchange", found["effects"]),
        ("intents", found["intents"]),
        *((name, _never(found[name], found["bound"])) for name in NEVER),
        ("all violations", len(found["violations"])),
        ("rounds not over in time", len(found["stuck"])),
        ("strikes", sum(found["struck"].values())),
        ("of these, kills", sum(found["kills"].values())),
        *found["states"].items(),
        ("resolved, p50 / p99 / max, s", _said(found["resolved"])),
        ("wall time, s", round(found["seconds"])),
    ]


def _never(times: int, bound: float) -> str:
    return str(times) if times else f"0  (at 95 % below {bound:.2%} of rounds)"


def _kills(strikes: Counter[tuple[str, str]]) -> dict[str, int]:
    kills = {place: strikes["kill", place] + strikes["kill_worker", place] for place in PLACES}
    return {place: count for place, count in kills.items() if count}


def _struck(struck: dict[str, int]) -> Table:
    hows = sorted({name.partition(" at ")[0] for name in struck})
    table = Table("struck at", *hows)
    for place in PLACES:
        table.add_row(place, *(str(struck.get(f"{how} at {place}", "")) for how in hows))
    return table


def _resolved(groups: dict[str, dict[str, float]]) -> Table:
    table = Table("round", "times", "resolved after p50 / p99 / max, s")
    for group, found in sorted(groups.items()):
        table.add_row(group, str(found["times"]), _said(found))
    return table


def _said(found: dict[str, float]) -> str:
    return f"{found['p50']:.1f} / {found['p99']:.1f} / {found['max']:.1f}"


def _counted(title: str, counts: dict[str, int]) -> Table:
    table = Table(title, "times")
    for name, count in sorted(counts.items()):
        table.add_row(name, str(count))
    return table
