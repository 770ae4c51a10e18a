"""The environment, read once and typed; what does not fit is answered with a sentence.

Every variable the platform knows stands in `KNOWN`. A name that starts with `AXISOR_` and is
not in it is a typing mistake, and refused: a misspelt setting must not be silently ignored.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

MIN_SECRET_LENGTH = 32
VAULT_KEY_BYTES = 32

KNOWN = {
    "AXISOR_SECRET_KEY": "Django's secret key, at least 32 characters",
    "AXISOR_VAULT_KEYS": "key ring of the vault: id:base64 of 32 bytes, comma separated; first seals",
    "AXISOR_ALLOWED_HOSTS": "host names the web process answers to, comma separated",
    "AXISOR_PORT": "first of the consecutive ports that `make run` uses",
    "AXISOR_DATA": "folder in which `make run` keeps its data, secrets and run.json",
    "AXISOR_PAPER_URL": "address of the paper exchange's REST API",
    "DATABASE_URL": "postgres://user:password@host:port/name",
    "REDIS_URL": "redis://:password@host:port/db",
    "LN_MARKETS_API_URL": "address of LN Markets' REST API, instead of the public one",
}


class InvalidEnvironment(Exception):
    """A variable is missing, unknown or malformed; the message names it and what is allowed."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What the settings are made from."""

    secret_key: str
    vault_keys: Mapping[str, bytes]
    allowed_hosts: list[str]
    database_url: str
    redis_url: str
    paper_url: str
    ln_markets_url: str | None
