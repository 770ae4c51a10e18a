"""`python -m tests.sdk`: every call of every SDK, and a table of what came of it."""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from exchanges.paper.scopes import Scope
from tests.paper_server import PaperServer, serving
from tests.sdk import story, story_account, story_stream, story_trading
from tests.sdk.gateway import tls_in_front_of
from tests.sdk.runner import Runner
from tests.sdk.sdks import INSTALLED, SDKS, Address, Sdk
from tests.sdk.story import Stage, tell
from tests.sdk.table import Table

BALANCE = 10_000_000
SCENES = (
    story_stream.connect,
    story.market,
    story.candles,
    story.removed,
    story_account.fresh_account,
    story_account.addresses,
    story_account.deposits,
    story_account.lightning_withdrawals,
    story_account.on_chain_withdrawals,
    story_account.notifications,
    story_account.swaps,
    story_trading.no_trades,
    story_trading.open_trades,
    story_trading.running_trade,
    story_trading.ended_trades,
    story_trading.flat_position,
    story_trading.open_orders,
    story_trading.position,
    story_trading.liquidated_position,
    story.refusals,
    story.faults,
    story.limits,
    story_trading.funding,
    story_stream.news,
    story_stream.break_off,
    story_stream.close,
)


def main() -> int:
    """Run them all; 1 when a call failed or is missing."""
    if not INSTALLED.is_dir():
        sys.exit(f"There are no SDKs in {INSTALLED}; `make sdk` installs them")
    console, bad = Console(), 0
    for sdk in SDKS:
        with tempfile.TemporaryDirectory(prefix="axisor-sdk-") as folder:
            table = _run(sdk, Path(folder))
        console.print(table.shown())
        for note in table.notes:
            console.print(note, style="red", markup=False, highlight=False, soft_wrap=True)
        console.print(", ".join(f"{count} {name}" for name, count in table.totals.items()))
        bad += len(table.notes)
    return 1 if bad else 0


def _run(sdk: Sdk, folder: Path) -> Table:
    with serving(folder / "paper.jsonl") as paper:
        port = int(paper.origin.rpartition(":")[2])
        with tls_in_front_of(port, folder) as (tls_port, certificate):
            return _told(sdk, paper, Address(paper.origin, tls_port, certificate), folder)


def _told(sdk: Sdk, paper: PaperServer, address: Address, folder: Path) -> Table:
    trader = paper.control.create_account(balance=BALANCE, permissions=list(Scope))
    _, reader = paper.control.create_key(trader.id, permissions=[Scope.ISOLATED_READ])
    clients = {
        "trader": trader.credentials,
        "reader": reader,
        "stranger": replace(trader.credentials, secret="not the secret"),
        "guest": None,
    }
    runner = Runner(sdk, address, clients, folder / "log")
    tell(Stage(runner, paper.control, trader), *SCENES)
    runner.close()
    return runner.table


if __name__ == "__main__":
    sys.exit(main())
