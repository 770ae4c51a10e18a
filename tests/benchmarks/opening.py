"""`python -m tests.benchmarks.opening`: what the credential cache saves when a client is opened.

Four ways, one after the other in each round, so that whatever else the machine does hits all:

    before   the row with its sealed column, opened and checked each time, no cache
    warm     the row without it, the column from the cache
    cold     the row without it, nothing in the cache: a look-up, a query, two writes
    away     as `cold`, with the cache's Redis away

Each reads its row, since that is how a run begins. PostgreSQL and Valkey are on this machine: the
longer the way to PostgreSQL, the more `cold` costs.
"""

import argparse
import os
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from time import perf_counter

import django

from tests.servers import _start


def main() -> None:
    """Start the servers, measure, and say what came out."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.opening")
    parser.add_argument("--samples", type=int, default=500, help="of each way")
    given = parser.parse_args()
    with ExitStack() as stack:
        _start(stack)
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        django.setup()
        ways = _ways()
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(given.samples):
            for name, way in ways.items():
                taken[name].append(way())
    _show(taken)


def _ways() -> dict[str, Callable[[], float]]:
    from django.core.management import call_command

    from accounts import cache
    from accounts.credentials import check_credentials, unseal_credentials
    from accounts.models import ExchangeAccount
    from accounts.opening import open_credentials
    from exchanges.protection.shared import impatient
    from tests.accounts.builders import a_user, an_account

    call_command("migrate", verbosity=0)
    pk = an_account(a_user()).pk
    rows = ExchangeAccount.objects.select_related("user", "exchange")

    def before() -> None:
        check_credentials(unseal_credentials(rows.get(pk=pk)))

    def cached() -> None:
        open_credentials(rows.defer("sealed_credentials").get(pk=pk))

    def cold() -> float:
        cache.clear_accounts([pk])
        return _seconds(cached)

    def away() -> float:
        there = cache._redis
        cache._redis = lambda: absent
        cache._script.cache_clear()
        taken = _seconds(cached)
        cache._redis = there
        cache._script.cache_clear()
        return taken

    absent = impatient("redis://127.0.0.1:1/0")
    cached()
    return {
        "before": lambda: _seconds(before),
        "warm": lambda: _seconds(cached),
        "cold": cold,
        "away": away,
    }


def _seconds(call: Callable[[], object]) -> float:
    begun = perf_counter()
    call()
    return perf_counter() - begun


def _show(taken: dict[str, list[float]]) -> None:
    whole = median(taken["before"])
    for name, samples in taken.items():
        middle = median(samples)
        print(f"{name:8}{middle * 1e6:8.0f} µs median{middle / whole:8.2f} of before")  # noqa: T201


if __name__ == "__main__":
    main()
