"""`python -m tests.benchmarks.monitor`: what one round of the margin monitor costs.

Every account has an active guard and two positions; the feed is written anew before each round, as
`watch` does, so that every entry has to be parsed. A round is measured as it runs on the platform,
on a real PostgreSQL and a real Valkey; `CPU` is that of the monitor's process alone.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import perf_counter, process_time

from tests.crash.servers import Servers

PRICE = 97_000
WELL, IN_DANGER = 100_000, 105_000
"""Entry prices, at 10x: of these, 31 and 82 % of the margin are used."""

ALLOWED_SECONDS = 5
"""The period: a round has to be over before the next one is due."""


def main() -> int:
    """Measure, and say what came out; 1 when a round takes longer than it may."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.monitor")
    parser.add_argument("--accounts", type=int, default=10_000)
    given = parser.parse_args()
    with _servers() as servers:
        servers.set_up_django()
        bench = Bench(given.accounts)
        crossing = given.accounts // 100
        cases = [
            ("quiet", 0),
            ("quiet", 0),
            ("1 % cross a level", crossing),
            ("they stay there", crossing),
            ("they recover", 0),
        ]
        taken = [bench.measure(name, in_danger) for name, in_danger in cases]
    print(f"At most {ALLOWED_SECONDS} s are allowed.")  # noqa: T201
    return int(max(taken) > ALLOWED_SECONDS)


class Bench:
    """So many accounts at one exchange, each of a user of its own."""

    def __init__(self, accounts: int) -> None:
        from django.utils import timezone

        from accounts.models import ExchangeAccount, User
        from automations.margin.rounds import Rounds
        from automations.models import Automation
        from exchanges.models import Exchange

        self._rounds = Rounds(Event())
        self._exchange = Exchange.objects.get(slug="paper")
        users = User.objects.bulk_create(User(username=f"u{n}") for n in range(accounts))
        self._accounts = ExchangeAccount.objects.bulk_create(
            ExchangeAccount(
                user=user,
                exchange=self._exchange,
                name="main",
                sealed_credentials=b"none",
                is_active=True,
                verified_at=timezone.now(),
            )
            for user in users
        )
        config = {"threshold": "0.8", "action": {"type": "close_position"}}
        Automation.objects.bulk_create(
            Automation(
                user=each.user, account=each, kind="margin_guard", name="guard", config=config
            )
            for each in self._accounts
        )

    def measure(self, name: str, in_danger: int) -> float:
        """Seconds of one round with so many accounts in danger."""
        from automations.models import MarginAlert

        self._write_feed(in_danger)
        began, cpu_began = perf_counter(), process_time()
        self._rounds.begin(self._exchange)
        self._rounds._round.result()
        seconds, cpu = perf_counter() - began, process_time() - cpu_began
        alerts = MarginAlert.objects.count()
        assert alerts == 2 * in_danger
        print(  # noqa: T201
            f"{name:20} {len(self._accounts):,} accounts, {alerts:4} positions in danger:"
            f" {seconds:.2f} s, {cpu:.2f} s CPU"
        )
        return seconds

    def _write_feed(self, in_danger: int) -> None:
        from automations.reading import utc_now
        from exchanges import feed
        from exchanges.types import Aged, Holdings
        from tests.builders import ticker, trade

        now = utc_now()
        trades = {
            entry: tuple(trade(trade_id=f"{entry}-{n}", entry=entry) for n in range(2))
            for entry in (WELL, IN_DANGER)
        }
        for number, account in enumerate(self._accounts):
            entry = IN_DANGER if number < in_danger else WELL
            feed.put_holdings(account.id, Aged(Holdings(1_000_000, trades[entry]), now, "rest"))
        feed.put_ticker(self._exchange.slug, Aged(ticker(PRICE, at=utc_now()), utc_now(), "stream"))


@contextmanager
def _servers() -> Iterator[Servers]:
    with tempfile.TemporaryDirectory(prefix="axisor-bench-") as folder:
        servers = Servers(Path(folder))
        servers.start()
        try:
            yield servers
        finally:
            servers.stop()


if __name__ == "__main__":
    sys.exit(main())
