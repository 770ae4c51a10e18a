"""How the demo looks: a table that changes in place on a terminal, lines of text elsewhere."""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from axisor.demo.platform import Guard
from axisor.demo.stage import Position

BAR_WIDTH = 40
NAME_WIDTH = 13


class Screen:
    """Numbered acts, facts in two columns, and one moving picture at a time."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._acts = 0

    def act(self, title: str, facts: Mapping[str, str] | None = None) -> None:
        """Begin the next act, with what is known at its beginning."""
        self._acts += 1
        self._console.print(Text(f"\n{self._acts}  {title}", style="bold"))
        for name, text in (facts or {}).items():
            self.say(f"   {name:<{NAME_WIDTH}}  {text}")

    def say(self, text: str, style: str = "") -> None:
        """A sentence; broken into lines for a terminal only."""
        self._console.print(Text(text, style=style), soft_wrap=not self._console.is_terminal)

    @contextlib.contextmanager
    def watching(self, guard: Guard) -> Iterator["Watch"]:
        """A picture of the position that `Watch.show` changes; `guard` as it was before."""
        with Live(console=self._console, auto_refresh=False) as live:
            yield Watch(self, live if self._console.is_terminal else None, heard=guard.says)


class Watch:
    """The position while the price moves: in place with `live`, else a line each time."""

    def __init__(self, screen: Screen, live: Live | None, *, heard: str) -> None:
        self._screen = screen
        self._live = live
        self._heard = heard

    def show(self, position: Position, guard: Guard) -> None:
        """Show the position, and what the guard says."""
        if self._live:
            self._live.update(_picture(position, guard), refresh=True)
            return
        self._screen.say(_line(position))
        if guard.says != self._heard:
            self._screen.say(f"   The guard: {guard.says}")
            self._heard = guard.says


def usd(price: Decimal) -> str:
    """A price for people."""
    return f"{price:,.1f} USD"


def sats(amount: int) -> str:
    """An amount for people."""
    return f"{amount:,} sats"


def clock(at: datetime) -> str:
    """A moment of today, in UTC."""
    return f"{at.astimezone(UTC):%H:%M:%S.%f}"[:-3] + " UTC"


def _picture(position: Position, guard: Guard) -> Table:
    used = position.margin_used
    colour = "red" if used >= guard.threshold else "green"
    looked = "never" if guard.checked_at is None else f"{_ago(guard.checked_at):.0f} s ago"
    facts: dict[str, RenderableType] = {
        "Price": usd(position.price),
        "P&L": sats(position.pl),
        "Margin used": ProgressBar(
            total=1, completed=float(used), width=BAR_WIDTH, complete_style=colour
        ),
        "": f"{used:.1%} of {sats(position.margin)}; the guard acts at {guard.threshold:.0%}",
        "Liquidated at": f"{usd(position.liquidation)}, {_distance(position):.2%} away",
        "The guard": f"{guard.says} (looked {looked})",
    }
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, content in facts.items():
        table.add_row(f"   {name:<{NAME_WIDTH}}", content)
    return table


def _line(position: Position) -> str:
    return (
        f"   {usd(position.price)}   P&L {position.pl:>8,} sats   margin used"
        f" {position.margin_used:6.1%} of {sats(position.margin)}"
        f"   liquidated at {usd(position.liquidation)}"
    )


def _distance(position: Position) -> Decimal:
    return (position.price - position.liquidation) / position.price


def _ago(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()
