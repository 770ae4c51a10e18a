"""`manage.py paper`: runs the paper exchange until it is told to stop."""

import signal
from argparse import ArgumentTypeError
from contextlib import closing, suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchanges.inverse_futures import MAX_PRICE, PRICE_TICK
from exchanges.paper.exchange import PaperExchange
from exchanges.paper.ledger import LedgerNotWritten, LedgerUnusable
from exchanges.paper.server import HOST, bind, create_server
from exchanges.paper.swaps import UsdUnit


class Command(BaseCommand):
    """Serves the API under /v3 and the control API under /control, on this machine only."""

    help = "Run the paper exchange: LN Markets' API with play money, on a local port."
    requires_system_checks: list[str] = []  # noqa: RUF012 - it uses no model

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=_port, default=8001)
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
            "--usd-unit",
            choices=[str(unit) for unit in UsdUnit],
            default=UsdUnit.DOCUMENTED,
            help="how dollars are written in swaps; documented: cents in, dollars out",
        )

    def handle(
        self, *, port: int, ledger: Path, price: Decimal, usd_unit: UsdUnit, **_options: Any
    ) -> None:
        try:
            listener = bind(port)
            exchange = PaperExchange(ledger, price=price, usd_unit=UsdUnit(usd_unit))
        except OSError as error:
            raise CommandError(f"--port {port}: {error.strerror}") from None
        except (LedgerUnusable, LedgerNotWritten) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Paper exchange on http://{HOST}:{port}/v3, ledger {ledger}")
        self.stdout.flush()
        # The server catches SIGTERM and SIGINT, finishes what it began, and raises them again.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt), closing(exchange):
            create_server(exchange).run([listener])


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ArgumentTypeError(f"1 to 65535, not {text}")
    return int(text)


def _price(text: str) -> Decimal:
    try:
        price = Decimal(text)
        valid = 0 < price <= MAX_PRICE and price % PRICE_TICK == 0
    except InvalidOperation:
        valid = False
    if not valid:
        raise ArgumentTypeError(f"a multiple of {PRICE_TICK} up to {MAX_PRICE}, not {text}")
    return price
