"""The secrets of one data folder: made once at random, then found again."""

import base64
import dataclasses
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from axisor.up.errors import CannotStart


def _password() -> str:
    return secrets.token_urlsafe(18)


def _vault_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _are_texts(values: dict[str, object]) -> bool:
    return all(isinstance(value, str) for value in values.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What only the platform knows, and the operator's login; never shown by `repr`."""

    django_key: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(48))
    vault_key: str = field(repr=False, default_factory=_vault_key)
    postgres_password: str = field(repr=False, default_factory=_password)
    valkey_password: str = field(repr=False, default_factory=_password)
    operator_password: str = field(repr=False, default_factory=_password)
    operator_token: str = field(repr=False, default="")
    """The operator's API token; empty until the platform has made one."""

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read them back.

        Raises:
            CannotStart: the file does not hold exactly these secrets.
        """
        names = {entry.name for entry in dataclasses.fields(cls)}
        try:
            values = json.loads(file.read_text())
        except (OSError, ValueError):
            values = {}
        if not isinstance(values, dict) or values.keys() != names or not _are_texts(values):
            raise CannotStart(
                f"{file} cannot be read as the secrets of this data folder. Restore it from a"
                " backup, or move the folder away to start afresh."
            )
        return cls(**values)

    def as_json(self) -> str:
        """Everything, for a file that nobody else may read."""
        return json.dumps(dataclasses.asdict(self), indent=2)
