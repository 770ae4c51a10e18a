"""Take automations over from the old system, and say what became of each."""

from argparse import ArgumentTypeError
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import ExchangeAccount, User
from accounts.selectors import accounts_of
from automations.importing.conversion import Rates, rate
from automations.importing.rows import Row, Unreadable, read
from automations.importing.taking_over import Import, totals


class Command(BaseCommand):
    """Everything that can be taken over is, paused; what cannot is refused with the reason."""

    help = "Import the automations of the old system from its export, JSON or CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose they become, on which account, and what old P&L were meant for."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--user", required=True, help="who gets them")
        parser.add_argument("--old-user", help="only those of this user_id of the old system")
        parser.add_argument("--account", help="which account takes those without one of the user's")
        parser.add_argument("--price", type=_positive, help="USD that old P&L were meant for")
        parser.add_argument("--leverage", type=_positive, help="leverage they were meant for")
        parser.add_argument(
            "--activate", action="store_true", help="start those that were active, at once"
        )
        parser.add_argument("--dry-run", action="store_true", help="say it, and change nothing")

    def handle(self, **options: Any) -> None:
        """Import, and print one line per row, then the totals."""
        user = _user(options["user"])
        rows = _rows(options["file"], options["old_user"])
        taking_over = Import(
            user=user,
            fallback=_account(user, options["account"]),
            rates=_rates(options["price"], options["leverage"]),
            activate=options["activate"],
        )
        outcomes = taking_over.run(rows, for_good=not options["dry_run"])
        for each in outcomes:
            self.stdout.write(f"{each.row.id} ({each.row.type}): {each.result}. {each.words}")
        self.stdout.write(totals(outcomes))
        if options["dry_run"]:
            self.stdout.write("Nothing was changed: this was a dry run.")


def _positive(given: str) -> Decimal:
    try:
        number = Decimal(given)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number <= 0:
        raise ArgumentTypeError("must be a number above 0")
    return number


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no user {name}.")
    return user


def _rows(path: Path, old_user: str | None) -> list[Row]:
    try:
        rows = read(path)
    except Unreadable as error:
        raise CommandError(str(error)) from None
    owners = sorted({row.user_id for row in rows})
    if old_user is not None:
        return [row for row in rows if row.user_id == old_user]
    if len(owners) > 1:
        listed = ", ".join(owner or "none" for owner in owners)
        raise CommandError(
            f"It holds automations of several users: {listed}. Choose by --old-user."
        )
    return rows


def _account(user: User, name: str | None) -> ExchangeAccount | None:
    if name is None:
        return None
    account = accounts_of(user.pk).filter(disconnected_at=None, name=name).first()
    if account is None:
        raise CommandError(f"{user} has no connected account {name}.")
    return account


def _rates(price: Decimal | None, leverage: Decimal | None) -> Rates | None:
    if price is None and leverage is None:
        return None
    if price is None or leverage is None:
        raise CommandError("Give --price and --leverage together.")
    return frozenset({rate(price=price, leverage=leverage)})
