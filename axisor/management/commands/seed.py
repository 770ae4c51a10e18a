"""Fills a new installation: an operator, two paper accounts with positions, a margin guard."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from knox.models import AuthToken

from accounts.audit import record_audit
from accounts.models import ExchangeAccount, User
from accounts.selectors import accounts_of
from accounts.services import connect_account
from accounts.tokens import token_subject
from automations.selectors import automations_of
from automations.services import create_automation
from exchanges.models import Exchange
from exchanges.paper.control_client import ControlClient

BALANCE = 10_000_000
ACCOUNTS: dict[str, list[dict[str, Any]]] = {
    "Paper": [
        {"side": "buy", "leverage": 5, "quantity": 500},
        {"side": "sell", "leverage": 2, "quantity": 200},
    ],
    "Paper, second": [{"side": "buy", "leverage": 2, "quantity": 100}],
}
GUARD = {
    "threshold": "0.8",
    "action": {
        "type": "add_margin",
        "amount": 20_000,
        "max_per_position": 100_000,
        "max_per_day": 2_000_000,
    },
    "cool_down": 15,
}
GUARD_EVERY = 5


class Command(BaseCommand):
    """Every step looks first whether it was done, so that it may be repeated or interrupted."""

    help = "Make the operator and the demonstration data, once. Needs the paper exchange running."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the login stands, and whether an API token is wanted."""
        parser.add_argument("--credentials-file", type=Path, required=True)
        parser.add_argument("--no-token", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed; prints `token=…` as its last line unless told not to."""
        login = json.loads(options["credentials_file"].read_text())
        user = ensure_operator(login["username"], login["password"])
        ensure_accounts(user)
        ensure_guard(user)
        if not options["no_token"]:
            token = make_token(user)
            self.stdout.write(f"token={token}")


def make_token(user: User) -> str:
    """Another API token of the user; it is shown here and nowhere again."""
    with transaction.atomic():
        row, token = AuthToken.objects.create(user=user)
        record_audit("token_created", by=user, subject=token_subject(row), user=user)
    return str(token)


def ensure_operator(username: str, password: str) -> User:
    """The operator, made with this password; one that was changed since stays changed."""
    known = User.objects.filter(username=username).first()
    return known or User.objects.create_superuser(username, password=password)


def ensure_accounts(user: User) -> None:
    """The paper accounts, each with its positions; the first becomes the active one.

    They have the same names at the exchange, which is how the demo finds them there.
    """
    control = ControlClient(urljoin(settings.PAPER_URL, "/").rstrip("/"))
    paper = Exchange.objects.get(slug="paper")
    known = set(accounts_of(user.pk).values_list("name", flat=True))
    for name, orders in ACCOUNTS.items():
        if name not in known:
            account = control.create_account(balance=BALANCE, username=name)
            for order in orders:
                control.open_trade(account.id, **order)
            connect_account(
                user=user,
                exchange=paper,
                name=name,
                credentials=account.credentials,
                by=user,
            )


def ensure_guard(user: User) -> None:
    """A margin guard over everything on the first paper account."""
    if not automations_of(user.pk).exists():
        account = ExchangeAccount.objects.get(user=user, name=next(iter(ACCOUNTS)))
        create_automation(
            user=user,
            account=account,
            kind="margin_guard",
            name="Guard of all positions",
            config=GUARD,
            by=user,
            every=GUARD_EVERY,
        )
