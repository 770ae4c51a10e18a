"""The figures, for people and for programs."""

import json
import platform
from pathlib import Path
from statistics import fmean, quantiles
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.feed import Samples

OLD_MEAN_MS = 12.6
OLD_FASTER = 0.962
"""What the system before this one took from its feed, and by how much that was faster than HTTP."""

NAMES = {
    "http": "signed HTTP: account, positions, ticker",
    "new": "feed, every value new",
    "known": "feed, nothing new since",
    "floor": "(one PING to the same Valkey)",
}


def figures(measured: dict[str, Samples]) -> dict[str, Any]:
    """Milliseconds and ratios, by link."""
    return {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "links": {link: _figures(samples) for link, samples in measured.items()},
    }


def show(result: dict[str, Any]) -> None:
    """Print them."""
    table = Table("link", "way", "samples", "mean ms", "p50 ms", "p99 ms", title=result["machine"])
    for link, found in result["links"].items():
        for way, name in NAMES.items():
            at = found[way]
            numbers = [f"{at[figure]:.3f}" for figure in ("mean_ms", "p50_ms", "p99_ms")]
            table.add_row(link, name, str(at["samples"]), *numbers)
        table.add_section()
    console = Console(width=110, highlight=False)
    console.print(table)
    for link, found in result["links"].items():
        mean, faster = found["new"]["mean_ms"], found["faster"]
        console.print(
            f"{link}: {faster:.2%} faster than HTTP by the mean ({found['times']:.0f} times), "
            f"{found['faster_p50']:.2%} by p50, {found['faster_p99']:.2%} by p99. "
            f"The old system: {OLD_MEAN_MS} ms mean, "
            f"{OLD_FASTER:.1%} faster; {verdict(mean, faster)}."
        )


def verdict(mean_ms: float, faster: float) -> str:
    """Whether both of the old figures are beaten."""
    is_better = mean_ms < OLD_MEAN_MS and faster > OLD_FASTER
    return "both beaten" if is_better else "NOT both beaten"


def save(result: dict[str, Any], path: Path) -> None:
    """Write them as JSON."""
    path.write_text(json.dumps(result, indent=2) + "\n")


def _figures(samples: Samples) -> dict[str, Any]:
    ways: dict[str, Any] = {way: _spread(getattr(samples, way)) for way in NAMES}
    new, http = ways["new"], ways["http"]
    return {
        **ways,
        "faster": 1 - new["mean_ms"] / http["mean_ms"],
        "faster_p50": 1 - new["p50_ms"] / http["p50_ms"],
        "faster_p99": 1 - new["p99_ms"] / http["p99_ms"],
        "times": http["mean_ms"] / new["mean_ms"],
    }


def _spread(seconds: list[float]) -> dict[str, float]:
    cuts = quantiles(seconds, n=100)
    return {
        "samples": len(seconds),
        "mean_ms": fmean(seconds) * 1000,
        "p50_ms": cuts[49] * 1000,
        "p99_ms": cuts[98] * 1000,
    }
