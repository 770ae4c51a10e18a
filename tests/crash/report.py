"""The figures of a run."""

from itertools import chain
from statistics import quantiles

from rich.console import Console
from rich.table import Table

from tests.crash.result import Result

console = Console(width=110, highlight=False)


def show(result: Result, *, seed: int) -> None:
    """Print everything that is known of a run of the platform."""
    console.print(_counted("struck", result.strikes), _counted("restarts", result.restarts))
    console.print(_resolved(result))
    table = Table("figure", "value", title=f"{result.rounds} rounds, seed {seed}")
    for name, value in figures(result).items():
        table.add_row(name, str(value))
    console.print(table)
    for violation in result.verdict["violations"]:
        console.print(violation)
    for stuck in result.stuck:
        console.print(f"not over in time: {stuck}")
    if result.broken or result.stuck:
        console.print(f"again: python -m tests.crash --rounds {result.rounds} --seed {seed}")


def show_planted(bug: str, result: Result) -> None:
    """Say whether a bug was caught, by which rules, and at which round."""
    broken = result.effects_broken
    rounds = [v["round"] for v in result.verdict["violations"] if v["rule"] in broken]
    caught = f"caught at round {min(rounds, default='?')} by {broken}" if broken else "NOT CAUGHT"
    console.print(f"{bug}: {caught} ({result.rounds} rounds, {result.seconds:.0f} s)")


def show_naive(result: Result, effects: dict[int, int]) -> None:
    """Say how often the baseline did twice what was wanted once, or not at all."""
    twice = {number: count for number, count in effects.items() if count > 1}
    never = sum(not count for count in effects.values())
    console.print(
        f"naive retry loop, {result.rounds} rounds: {len(twice)} positions acted on more than "
        f"once ({sum(twice.values()) - len(twice)} duplicates), {never} never"
    )


def figures(result: Result) -> dict[str, object]:
    """The numbers that matter, by name."""
    states, broken = result.verdict["states"], result.broken
    return {
        "effects at the exchange": result.verdict["effects"],
        "intents": result.verdict["intents"],
        "duplicates": broken.get("once", 0),
        "losses": broken.get("not_lost", 0),
        "guesses": broken.get("not_guessed", 0),
        "all violations": sum(broken.values()),
        "rounds not over in time": len(result.stuck),
        "strikes": sum(result.strikes.values()),
        **{state: states[state] for state in sorted(states)},
        "resolved, p50 / p99 / max, s": _spread(
            list(chain.from_iterable(result.resolved.values()))
        ),
        "wall time, s": round(result.seconds),
    }


def _resolved(result: Result) -> Table:
    table = Table("round", "times", "resolved after p50 / p99 / max, s")
    for group, seconds in sorted(result.resolved.items()):
        table.add_row(group, str(len(seconds)), _spread(seconds))
    return table


def _spread(seconds: list[float]) -> str:
    cuts = quantiles(seconds * 2, n=100, method="inclusive") if seconds else [0.0] * 99
    return f"{cuts[49]:.1f} / {cuts[98]:.1f} / {max(seconds, default=0):.1f}"


def _counted(title: str, counts: dict[str, int]) -> Table:
    table = Table(title, "times")
    for name, count in sorted(counts.items()):
        table.add_row(name, str(count))
    return table
