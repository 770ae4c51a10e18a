"""A whole run: batches of rounds on one platform, and the judge at the end."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import DatabaseError, connections
from kombu.exceptions import OperationalError
from redis import RedisError

from axisor.up.site import ROOT
from exchanges.paper.control_client import ControlClient
from tests.crash import poison
from tests.crash.clocks import PARENT_FREEZE_SECONDS, WINDOW_SECONDS, WISH_SECONDS
from tests.crash.platform import Platform
from tests.crash.result import Result
from tests.crash.rounds import HIGH, LOW, Round, Standing, deleted_twin, open_round
from tests.crash.scenarios import Scenario
from tests.crash.servers import Servers

BATCH_SECONDS = 300.0
"""How long a round may take, also on a machine that is busy with other things; one that takes
longer is stuck."""

PLANTED_BATCH_SECONDS = 14.0
"""How long it may take with a planted bug, with which rounds need not come to an end."""

NAIVE_SECONDS = 25.0
"""The baseline writes nothing down that would say when it is over."""

QUIET_SECONDS = 60.0
LOCK_SECONDS = 1
POLL_SECONDS = 0.1

STANDING = """
SELECT account.id::text,
    (SELECT count(*) FROM automations_errand AS errand WHERE errand.account_id = account.id),
    count(*) FILTER (WHERE intent.state IN ('planned', 'sending', 'unknown')),
    count(*) FILTER (WHERE signed_at IS NOT NULL),
    count(*) FILTER (WHERE intent.state IN ('confirmed', 'satisfied')),
    count(*) FILTER (WHERE intent.state = 'needs_operator')
FROM accounts_exchangeaccount AS account
LEFT JOIN automations_intent AS intent ON intent.account_id = account.id
WHERE account.id = ANY(%s) GROUP BY account.id
"""

Progress = Callable[[int], None]


class Run:
    """Rounds on a platform of its own; `draw` gives the scenario of each by its number."""

    def __init__(
        self, servers: Servers, folder: Path, draw: Callable[[int], Scenario], *, planted: str = ""
    ) -> None:
        self.platform = Platform(servers, folder, planted=planted)
        self.control = ControlClient(self.platform.origin)
        self.result = Result()
        self._servers = servers
        self._draw = draw
        self._agenda: list[tuple[float, Callable[[], None]]] = []
        self._numbers: dict[str, int] = {}
        self._trades: dict[int, str] = {}
        self._is_naive = planted == "naive"
        has_bug = planted and not self._is_naive
        self._patience = PLANTED_BATCH_SECONDS if has_bug else BATCH_SECONDS

    def __enter__(self) -> "Run":
        self._began = time.monotonic()
        _use(self.platform)
        try:
            self.platform.start()
        except BaseException:
            self.platform.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.platform.stop()
        self.result.seconds = time.monotonic() - self._began

    def batch(self, numbers: Iterable[int], progress: Progress = lambda over: None) -> None:
        """Play some rounds at once, until all are over or their time is."""
        self.control.set_price(HIGH)
        batch = [
            open_round(number, self._draw(number), self.platform, self.control)
            for number in numbers
        ]
        self._numbers |= {str(each.automation.id): each.number for each in batch}
        self._trades |= {each.number: each.trade for each in batch}
        for each in batch:
            each.prepare(self.control)
        self.control.set_price(LOW)
        for each in batch:
            self._begin(each)
        self._await(batch, progress)
        self._conclude(batch)

    def settle(self) -> None:
        """Wait until nothing is under way any more."""
        deadline = time.monotonic() + QUIET_SECONDS
        accounts = list(self._standings())
        while time.monotonic() < deadline and any(
            found.errands or found.under_way for found in self._standings(accounts).values()
        ):
            self._look_after()

    def judge(self) -> None:
        """Ask the judge, who shares nothing with us but the two files and the database."""
        arguments = {
            "--ledger": self.platform.ledger,
            "--database": self.platform.database,
            "--sent": self.platform.sent,
            "--wish-seconds": WISH_SECONDS,
            "--stuck-seconds": 2 * WINDOW_SECONDS,
        }
        flat = [str(part) for pair in arguments.items() for part in pair]
        command = [sys.executable, "-m", "tests.crash.judge", "--json", *flat]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if not said.stdout:
            raise RuntimeError(f"The judge broke down:\n{said.stderr}")
        self.result.verdict = json.loads(said.stdout)
        for violation in self.result.verdict["violations"]:
            violation["round"] = self._numbers.get(violation["automation"])

    def effects(self) -> dict[int, int]:
        """How many effects the exchange counts for the position of each round."""
        api = Counter(e["trade"]["id"] for e in self.control.ledger() if e["by"] == "api")
        return {number: api[trade] for number, trade in self._trades.items()}

    def _begin(self, each: Round) -> None:
        each.crossed_at = time.time()
        now = time.monotonic()
        self._agenda += [(now + after, send) for after, send in each.messages()]
        if each.scenario.poison:
            self._agenda.append((now, partial(self._poison, each)))
        if each.scenario.outage:
            down = partial(self.platform.take_down, each.scenario.outage)
            at = now + each.scenario.outage_after
            self._agenda.append((at, down))
            if each.scenario.outage == "worker_frozen":
                self._agenda.append((at + PARENT_FREEZE_SECONDS, self.platform.thaw))

    def _poison(self, each: Round) -> None:
        deleted = str(deleted_twin(each.automation).id)
        with self._servers.redis() as client:
            poison.push_all(client, deleted=deleted)

    def _await(self, batch: list[Round], progress: Progress) -> None:
        deadline = time.monotonic() + self._patience
        going_on = list(batch)
        while going_on and time.monotonic() < deadline:
            self._look_after()
            standings = self._standings([each.account.id for each in going_on])
            for each in [each for each in going_on if str(each.account.id) in standings]:
                standing = standings[str(each.account.id)]
                each.wake()
                if self._carefully(lambda: self._over(each, standing)):  # noqa: B023
                    going_on.remove(each)
                    progress(1)
        for each in going_on:
            self.result.stuck.append(f"round {each.number}, {each.scenario.name}")
            self._carefully(each.retire)
            progress(1)
        for each in batch:
            each.wake(after=0)

    def _over(self, each: Round, standing: Standing) -> bool:
        each.do_deed(self.control, standing)
        if self._agenda or not self._is_over(each, standing):
            return False
        each.retire()
        return True

    def _is_over(self, each: Round, standing: Standing) -> bool:
        if self._is_naive:
            return time.time() > each.crossed_at + NAIVE_SECONDS
        return each.is_over(standing)

    def _look_after(self) -> None:
        time.sleep(POLL_SECONDS)
        self.platform.revive()
        now = time.monotonic()
        due = [send for at, send in self._agenda if at <= now]
        self._agenda = [(at, send) for at, send in self._agenda if at > now]
        for send in due:
            self._carefully(send)

    def _carefully(self, do: Callable[[], Any]) -> Any:
        """Do something that needs the servers, one of which may just be down; None then."""
        try:
            return do()
        except (DatabaseError, psycopg.Error, OperationalError, RedisError, ConnectionError):
            connections["default"].close()
            return None

    def _standings(self, accounts: list[UUID] | None = None) -> dict[str, Standing]:
        query, parameters = STANDING, [accounts]
        if accounts is None:
            query, parameters = STANDING.replace("account.id = ANY(%s)", "TRUE"), None

        def ask() -> dict[str, Standing]:
            with connections["default"].cursor() as cursor:
                cursor.execute(query, parameters)
                return {row[0]: Standing(*row[1:]) for row in cursor.fetchall()}

        return self._carefully(ask) or {}

    def _conclude(self, batch: list[Round]) -> None:
        result = self.result
        result.rounds += len(batch)
        result.strikes.update((s.how, s.place) for each in batch for s in each.taken)
        result.scenarios.update(each.scenario.name for each in batch)
        for each in batch:
            if each.settled_at:
                result.resolved[each.group].append(each.seconds())
        result.restarts = self.platform.restarts


def _use(platform: Platform) -> None:
    """Let this process use the platform's services on its database and exchange.

    It never waits long for a lock: whoever holds it may be frozen, and is woken from here.
    """
    settings.PAPER_URL = f"{platform.origin}/v3"
    connections["default"].close()
    database = connections["default"].settings_dict
    database["NAME"] = platform.name
    database["OPTIONS"] |= {"options": f"-c lock_timeout={LOCK_SECONDS}s"}
