"""What is left to spend, and what was done before, while one decision walks over positions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from automations.rules.actions import Action, AddMargin, CashIn, DepositCross
from automations.rules.measures import CROSS, Position
from automations.snapshots import PastAction, Snapshot

DAY = timedelta(days=1)


@dataclass(slots=True)
class Purse:
    """The free balance in sats, and everything sent so far, this decision's actions included."""

    balance: int
    past: list[PastAction]

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Purse":
        """As a decision finds it."""
        return cls(snapshot.balance, list(snapshot.past))

    def spend(self, actions: Iterable[Action], snapshot: Snapshot) -> None:
        """Count actions that were just decided on."""
        for action in actions:
            sats = _moved(action)
            self.balance -= max(0, sats)
            name = getattr(action, "trade_id", CROSS)
            self.past.append(PastAction(name, sats, snapshot.now, action.kind))

    def spent_on(self, position: Position) -> int:
        """Sats moved into a position so far, whatever was taken back: caps count this."""
        return sum(max(0, done.sats) for done in self.past if done.trade_id == position.name)

    def added_to(self, position: Position) -> int:
        """Sats moved into a position and still in it: not taken back, nor lost to a reopening."""
        added = 0
        for done in self.past:
            if done.trade_id == position.name:
                added = 0 if done.kind == "reopen_position" else added + done.sats
        return added

    def spent_since(self, moment: datetime) -> int:
        """Sats moved into positions after `moment`, whatever was taken back."""
        return sum(max(0, done.sats) for done in self.past if done.at > moment)

    def cools_down(self, position: Position, seconds: int, now: datetime) -> str:
        """What it waits for after what was done to a position; empty when it need not wait."""
        done = [each.at for each in self.past if each.trade_id == position.name]
        wait = max(done) + timedelta(seconds=seconds) - now if done else timedelta(0)
        if wait <= timedelta(0):
            return ""
        return f"the guard cools down for another {wait.total_seconds():.0f} s."


def _moved(action: Action) -> int:
    """Sats an action moves into a position, negative for out of it."""
    match action:
        case AddMargin(amount=amount) | DepositCross(amount=amount):
            return amount
        case CashIn(amount=amount):
            return -amount
        case _:
            return 0
