"""Seal every secret anew under the first key of the ring."""

import sys
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import track

from accounts import rotation, vault
from accounts.audit import record_audit
from accounts.cache import forget_account
from accounts.errors import SealBroken
from accounts.models import ExchangeAccount

ORDER = """\
A new key, without a pause of the platform. AXISOR_VAULT_KEYS is a ring: its first key seals, all
of them open, and every process must know a key before any process seals with it.

  1. put the new key behind the old one:  AXISOR_VAULT_KEYS=old:…,new:…   restart all processes
  2. put it first:                        AXISOR_VAULT_KEYS=new:…,old:…   restart all processes
  3. manage.py rotate_keys                as often as it takes: it goes on where it was broken off
  4. manage.py rotate_keys --check        says which keys may be removed from the ring
  5. remove the old key:                  AXISOR_VAULT_KEYS=new:…         restart all processes

Keep the old key for as long as you keep backups that were made before step 3.
For `make run`, whose own key is called `first` and lies in secrets.json of the data folder, set
AXISOR_VAULT_KEYS in its environment and use `python -m axisor.up.manage rotate_keys` with the same
AXISOR_VAULT_KEYS.
"""


class Command(BaseCommand):
    """May be killed, started again, and run beside everything else."""

    help = ORDER

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the lines of the help."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to look only."""
        parser.add_argument("--check", action="store_true", help="count, and change nothing")

    def handle(self, **options: Any) -> None:
        """Rotate or count, and fail with a sentence when something does not open."""
        if not options["check"]:
            self._rotate()
        self._check()

    def _rotate(self) -> None:
        resealed, broken = 0, set[rotation.Sealed]()
        while pending := [each for each in rotation.left() if each not in broken]:
            for each in track(pending, "Sealing anew", console=_terminal(), transient=True):
                try:
                    resealed += _reseal(each)
                except SealBroken:
                    broken.add(each)
        record_audit(
            "keys_rotated",
            by=None,
            subject="vault",
            data={
                "first_key": vault.first_key(),
                "resealed": resealed,
                "broken": sorted(map(str, broken)),
            },
        )
        self.stdout.write(f"{resealed} sealed anew under {vault.first_key()}.")

    def _check(self) -> None:
        found = rotation.census()
        for key_id in [
            *settings.VAULT_KEYS,
            *sorted(found.keys.keys() - settings.VAULT_KEYS.keys()),
        ]:
            count = found.keys[key_id]
            self.stdout.write(f"{key_id}: {count} sealed, {_meaning(key_id, count)}")
        for value, reason in found.broken.items():
            self.stderr.write(f"{value}: {reason}")
        if found.broken:
            raise CommandError(
                f"{len(found.broken)} sealed values do not open: each stands above with its reason."
            )


def _reseal(value: rotation.Sealed) -> bool:
    is_done = rotation.reseal(value)
    if is_done and value.column.model is ExchangeAccount:
        forget_account(value.pk)
    return is_done


def _terminal() -> Console:
    return Console(stderr=True, quiet=not sys.stderr.isatty())


def _meaning(key_id: str, count: int) -> str:
    if key_id not in settings.VAULT_KEYS:
        return "not in the ring"
    if key_id == vault.first_key():
        return "the first key"
    return "still needed" if count else "may be removed from the ring"
