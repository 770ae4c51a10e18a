"""`manage.py paper`: runs the paper exchange until it is told to stop."""

import signal
from argparse import ArgumentTypeError
from collections.abc import Callable
from contextlib import closing, suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchanges.inverse_futures import MAX_PRICE, PRICE_TICK
from exchanges.paper.commands_market import MAX_INTERVAL_MS, MAX_STEPS
from exchanges.paper.exchange import PaperExchange
from exchanges.paper.ledger import LedgerNotWritten, LedgerUnusable
from exchanges.paper.limits import Profile
from exchanges.paper.player import Playlist
from exchanges.paper.prices import BadCandles, Scenario, path_of, read_candles, scenario_prices
from exchanges.paper.server import HOST, bind, create_server
from exchanges.types import Candle


class Command(BaseCommand):
    """Serves /v3, the stream /v1 and the control API under /control, on this machine only."""

    help = "Run the paper exchange: LN Markets' API with play money, on a local port."
    requires_system_checks: list[str] = []  # noqa: RUF012 - it uses no model

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=_whole(1, 65535), default=8001)
        parser.add_argument(
            "--ledger", type=Path, required=True, help="file that keeps all it ever accepted"
        )
        parser.add_argument(
            "--price",
            type=_price,
            default=Decimal(100_000),
            help="first price in USD of a new ledger; an existing one goes on at its own",
        )
        parser.add_argument(
            "--limits",
            choices=list(Profile),
            default=Profile.NONE,
            help="rate limits that hold at first: requests per second and key, and per address",
        )
        played = parser.add_mutually_exclusive_group()
        played.add_argument("--scenario", choices=list(Scenario), help="prices to play at first")
        played.add_argument(
            "--candles",
            type=_candles,
            metavar="FILE",
            help="CSV to play at first: time,open,high,low,close[,volume]",
        )
        parser.add_argument(
            "--seed", type=_whole(0, 2**63 - 1), default=1, help="of the scenario's chance"
        )
        parser.add_argument(
            "--steps", type=_whole(1, MAX_STEPS), default=1000, help="length of the scenario"
        )
        parser.add_argument(
            "--interval-ms",
            type=_whole(0, MAX_INTERVAL_MS),
            default=500,
            help="time from one played price to the next",
        )

    def handle(
        self, *, port: int, ledger: Path, price: Decimal, limits: str, **options: Any
    ) -> None:
        try:
            listener = bind(port)
            exchange = PaperExchange(ledger, price=price)
            opening = _opening(exchange, **options)
        except OSError as error:
            raise CommandError(f"--port {port}: {error.strerror}") from None
        except (LedgerUnusable, LedgerNotWritten) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Paper exchange on http://{HOST}:{port}/v3, ledger {ledger}")
        self.stdout.flush()
        # The server catches SIGTERM and SIGINT, finishes what it began, and raises them again.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt), closing(exchange):
            create_server(exchange, limits=Profile(limits), opening=opening).run([listener])


def _opening(
    exchange: PaperExchange,
    *,
    scenario: Scenario | None,
    candles: list[Candle] | None,
    seed: int,
    steps: int,
    interval_ms: int,
    **_options: Any,
) -> Playlist | None:
    """What is to be played at first; candles are kept as history too."""
    if scenario is not None:
        prices = scenario_prices(
            Scenario(scenario), start=exchange.book.price, seed=seed, steps=steps
        )
        return Playlist(scenario, list(prices), interval_ms)
    if candles is not None:
        exchange.load_candles(candles)
        return Playlist("candles", path_of(candles), interval_ms)
    return None


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ArgumentTypeError(f"{least} to {most}, not {text}")
        return int(text)

    return read


def _price(text: str) -> Decimal:
    try:
        price = Decimal(text)
        valid = 0 < price <= MAX_PRICE and price % PRICE_TICK == 0
    except InvalidOperation:
        valid = False
    if not valid:
        raise ArgumentTypeError(f"a multiple of {PRICE_TICK} up to {MAX_PRICE}, not {text}")
    return price


def _candles(path: str) -> list[Candle]:
    try:
        return read_candles(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ArgumentTypeError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ArgumentTypeError(f"{path} is not UTF-8") from None
    except BadCandles as error:
        raise ArgumentTypeError(f"{path}: {error}") from None
