"""One round: a fresh account with a guarded position, and what is done to it."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from requests import HTTPError

from accounts.models import ExchangeAccount, User
from accounts.services import connect_account
from automations import pausing, tasks
from automations.models import Automation
from automations.services import create_automation, delete_automation
from exchanges.models import Exchange
from exchanges.paper.control_client import ControlClient, PaperAccount
from tests.crash import strikes
from tests.crash.apps import note_slot
from tests.crash.clocks import FREEZE_SECONDS
from tests.crash.platform import Platform
from tests.crash.scenarios import Deed, Scenario

HIGH, LOW = 100_000, 91_500
"""USD. At the low price, 93 % of the position's margin is used."""

THRESHOLD = "0.8"
POSITION = {"side": "buy", "leverage": 10, "quantity": 10_000}
BALANCE = 10_000_000
CLOSE = {"type": "close_position"}
ACTING = {True: "/v3/futures/isolated/trade/close", False: "/v3/futures/isolated/trade/add-margin"}

UNMET_SECONDS = 8.0
"""After which a strike whose place nobody reached is not waited for."""

AFTERMATH_SECONDS = 1.0
"""How long a process that was woken has to do what it had in mind."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What PostgreSQL says of a round's account: numbers of errands and of intents."""

    errands: int = 0
    under_way: int = 0
    signed: int = 0
    done: int = 0
    with_a_person: int = 0


@dataclass(slots=True)
class Round:
    """When the price fell, all was settled, and it was over: seconds since 1970, 0 before that."""

    number: int
    scenario: Scenario
    platform: Platform
    paper: PaperAccount
    trade: str
    account: ExchangeAccount
    automation: Automation
    crossed_at: float = 0
    over_at: float = 0
    settled_at: float = 0
    is_deed_done: bool = False
    woken: set[int] = field(default_factory=set)
    woken_at: float = 0

    @property
    def group(self) -> str:
        """What kind of round it is, for the figures: how it was struck, or its scenario."""
        return " and ".join(sorted({strike.how for strike in self.taken})) or self.scenario.name

    @property
    def taken(self) -> list[strikes.Taken]:
        """The strikes that were taken so far."""
        return list(strikes.taken(self.platform.strikes, self.account.id))

    def prepare(self, control: ControlClient) -> None:
        """Lay what is to strike; nothing happens before the price falls."""
        for strike in self.scenario.strikes:
            strikes.lay(
                self.platform.strikes,
                self.account.id,
                strike,
                paper_account=self.paper.id,
                control=self.platform.origin,
            )
        if self.scenario.fault:
            path = ACTING[self.scenario.action is None]
            control.fault(**self.scenario.fault, path=path, account_id=self.paper.id)

    def messages(self) -> Iterator[tuple[float, Callable[[], None]]]:
        """What is to be sent, and how many seconds after the price fell."""
        now = int(self.crossed_at)
        slots = [f"tick:{now + number}" for number in range(self.scenario.slots)]
        for slot in slots:
            note_slot(self.platform.sent, str(self.automation.id), slot)
            for number in range(self.scenario.deliveries):
                yield number * self.scenario.apart, _message(self.automation, slot)

    def wake(self, *, after: float = FREEZE_SECONDS) -> None:
        """Let those go on that have been frozen for so many seconds."""
        for strike in self.taken:
            is_due = time.time() > strike.at + after
            if strike.how == "freeze" and is_due and strike.pid not in self.woken:
                self.woken.add(strike.pid)
                self.woken_at = time.time()
                with suppress(ProcessLookupError):
                    os.kill(strike.pid, signal.SIGCONT)

    def do_deed(self, control: ControlClient, standing: Standing) -> None:
        """Do what a person does, once the time for it has come."""
        deed = self.scenario.deed
        if deed is None or self.is_deed_done:
            return
        if not (self.taken if deed == "deletes" else standing.signed):
            return
        self.is_deed_done = True
        with suppress(HTTPError):  # the guard was quicker: the trade is closed
            self._do(deed, control)

    def is_over(self, standing: Standing) -> bool:
        """Nothing is under way, the position is protected, and nothing is to strike any more."""
        if not self._is_settled(standing):
            self.settled_at = 0
            return False
        self.settled_at = self.settled_at or time.time()
        return not self._awaits_something()

    def retire(self) -> None:
        """Stop the guard: the round is over."""
        self.over_at = time.time()
        self.automation.refresh_from_db()
        if self.automation.is_active:
            pausing.pause(self.automation, by=self.automation.user, reason="test")

    def seconds(self) -> float:
        """From the first strike, or from the fall of the price, until all was settled for good."""
        began_at = min((strike.at for strike in self.taken), default=self.crossed_at)
        return max(0.0, self.settled_at - began_at)

    def _do(self, deed: Deed, control: ControlClient) -> None:
        match deed:
            case "deletes":
                delete_automation(automation=self.automation, by=self.automation.user)
            case "adds_margin":
                control.add_margin(self.paper.id, self.trade, amount=7_777)
            case "closes":
                control.close_trade(self.paper.id, self.trade)

    def _is_settled(self, standing: Standing) -> bool:
        if standing.under_way or standing.errands:
            return False
        is_protected = standing.done > 0 or standing.with_a_person > 0
        return is_protected or (self.scenario.may_stay_unprotected and self.is_deed_done)

    def _awaits_something(self) -> bool:
        now = time.time()
        is_laid = strikes.are_pending(self.platform.strikes, self.account.id)
        if is_laid and now < self.crossed_at + UNMET_SECONDS:
            return True
        frozen = {strike.pid for strike in self.taken if strike.how == "freeze"}
        return frozen > self.woken or now < self.woken_at + AFTERMATH_SECONDS


def open_round(
    number: int, scenario: Scenario, platform: Platform, control: ControlClient
) -> Round:
    """Open an account with a position at the exchange, and have it guarded."""
    paper = control.create_account(balance=BALANCE)
    trade = control.open_trade(paper.id, **POSITION)["id"]
    user = User.objects.create(username=f"round-{number}")
    account = connect_account(
        user=user,
        exchange=Exchange.objects.get(slug="paper"),
        name=f"round {number}",
        credentials=paper.credentials,
        by=user,
    )
    automation = create_automation(
        user=user,
        account=account,
        kind="margin_guard",
        name="guard",
        config=_config(scenario),
        by=user,
    )
    return Round(number, scenario, platform, paper, trade, account, automation)


def deleted_twin(automation: Automation) -> Automation:
    """Another guard of the same account that was deleted."""
    twin = create_automation(
        user=automation.user,
        account=automation.account,
        kind=automation.kind,
        name="deleted",
        config=automation.config,
        is_active=False,
        by=automation.user,
    )
    delete_automation(automation=twin, by=twin.user)
    return twin


def _config(scenario: Scenario) -> dict[str, Any]:
    action = {"type": "add_margin", **scenario.action} if scenario.action else CLOSE
    return {"threshold": THRESHOLD, "cool_down": 0, "action": action}


def _message(automation: Automation, slot: str) -> Callable[[], None]:
    return lambda: tasks.start_execution(automation, slot=slot, cause="tick")
