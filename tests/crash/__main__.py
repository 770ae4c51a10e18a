"""`python -m tests.crash`: the rounds, the planted bugs, the baseline, and their figures."""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import Progress

from tests.crash.planted import BUGS
from tests.crash.servers import Servers


def main() -> int:
    """Run what is asked for; 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--planted", nargs="+", choices=[*BUGS, "all"], help="with these bugs, each to be caught"
    )
    parser.add_argument("--naive", action="store_true", help="a naive retry loop instead")
    parser.add_argument("--keep", type=Path, help="keep logs, ledger and strikes in this folder")
    parser.add_argument("--json", type=Path, help="write the figures of each run into this file")
    given = parser.parse_args()
    with _folder(given.keep) as folder, _servers(folder) as servers, Progress() as progress:
        runs = list(_runs(given, (servers, folder, progress)))
    if given.json:
        given.json.write_text(json.dumps(runs, indent=2) + "\n")
    return 0 if all(run["is_right"] for run in runs) else 1


def _runs(
    given: argparse.Namespace, where: tuple[Servers, Path, Progress]
) -> Iterator[dict[str, Any]]:
    # Its modules need Django, and Django the servers.
    from tests.crash import campaigns

    if given.planted:
        for bug in BUGS if "all" in given.planted else given.planted:
            yield campaigns.planted(*where, bug=bug, seed=given.seed)
    else:
        campaign = campaigns.naive if given.naive else campaigns.plain
        yield campaign(*where, rounds=given.rounds, seed=given.seed)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="axisor-crash-"))
    try:
        yield folder
    finally:
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
            for name in ("postgres", "valkey"):
                shutil.rmtree(folder / name, ignore_errors=True)
            shutil.copytree(folder, keep, dirs_exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _servers(folder: Path) -> Iterator[Servers]:
    servers = Servers(folder)
    try:
        servers.start()
        servers.set_up_django()
        yield servers
    finally:
        servers.stop()


if __name__ == "__main__":
    sys.exit(main())
