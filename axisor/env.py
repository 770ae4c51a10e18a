"""The environment, read once and typed; what does not fit is answered with a sentence.

Every variable the platform knows stands in `KNOWN`. A name that starts with `AXISOR_` and is
not in it is a typing mistake, and refused: a misspelt setting must not be silently ignored.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

MIN_SECRET_LENGTH = 32
VAULT_KEY_BYTES = 32
WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
RATE = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4})?", re.ASCII)
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")

KNOWN = {
    "AXISOR_SECRET_KEY": "Django's secret key, at least 32 characters",
    "AXISOR_VAULT_KEYS": "the vault's key ring, id:base64 of 32 bytes, comma separated",
    "AXISOR_ALLOWED_HOSTS": "host names the web process answers to, comma separated",
    "AXISOR_PORT": "first of the consecutive ports that `make run` uses",
    "AXISOR_DATA": "folder in which `make run` keeps data, secrets and run.json",
    "AXISOR_MARGIN_INTERVAL": "seconds between two looks of the margin monitor, 1 to 60",
    "AXISOR_PAPER_URL": "address of the paper exchange's REST API",
    "AUTOMATION_SCHEDULER_ENABLED": "whether automations are scheduled: true or false",
    "AUTOMATION_CHECK_INTERVAL": "milliseconds between two looks at a calendar",
    "DATABASE_URL": "postgres://user:password@host:port/name",
    "REDIS_URL": "redis://:password@host:port/db",
    "CACHE_REDIS_URL": "another Redis, for the credential cache alone",
    "LN_MARKETS_API_URL": "address of LN Markets' REST API, instead of the public one",
    "LN_MARKETS_REQUESTS_PER_SECOND": "LN Markets' limit for one API key",
    "LN_MARKETS_PUBLIC_REQUESTS_PER_SECOND": "LN Markets' limit for one address without a key",
    "PROMETHEUS_MULTIPROC_DIR": "folder in which all processes collect their metrics",
}


class InvalidEnvironment(Exception):
    """A variable is missing, unknown or malformed; the message names it and what is allowed."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What the settings are made from. The first of `vault_keys` seals, all of them open."""

    secret_key: str = field(repr=False)
    vault_keys: Mapping[str, bytes] = field(repr=False)
    allowed_hosts: list[str]
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    cache_redis_url: str = field(repr=False)
    paper_url: str
    ln_markets_url: str | None
    metrics_folder: str | None
    scheduler_enabled: bool
    calendar_check_ms: int
    ln_markets_rate: float
    ln_markets_public_rate: float
    margin_interval: int

    @property
    def is_local(self) -> bool:
        """Only this machine can reach the web process, so plain HTTP is enough for cookies."""
        return all(host in LOOPBACK_HOSTS for host in self.allowed_hosts)


def read(variables: Mapping[str, str]) -> Environment:
    """Read the environment, or raise `InvalidEnvironment` with a sentence for the operator."""
    refuse_unknown(variables)
    return Environment(
        secret_key=_secret_key(_required(variables, "AXISOR_SECRET_KEY")),
        vault_keys=_vault_keys(_required(variables, "AXISOR_VAULT_KEYS")),
        allowed_hosts=_hosts(variables.get("AXISOR_ALLOWED_HOSTS") or "127.0.0.1,localhost"),
        database_url=url(variables, "DATABASE_URL", schemes=("postgres", "postgresql")),
        redis_url=url(variables, "REDIS_URL", schemes=("redis", "rediss")),
        cache_redis_url=url(variables, "CACHE_REDIS_URL", schemes=("redis", "rediss"), default="")
        or variables["REDIS_URL"],
        paper_url=url(
            variables,
            "AXISOR_PAPER_URL",
            schemes=("http", "https"),
            default="http://127.0.0.1:8001/v3",
        ),
        ln_markets_url=url(variables, "LN_MARKETS_API_URL", schemes=("https", "http"), default="")
        or None,
        metrics_folder=_folder(variables, "PROMETHEUS_MULTIPROC_DIR"),
        scheduler_enabled=_flag(variables, "AUTOMATION_SCHEDULER_ENABLED", default="true"),
        calendar_check_ms=_whole(
            variables, "AUTOMATION_CHECK_INTERVAL", 1_000, 86_400_000, default="3600000"
        ),
        ln_markets_rate=_rate(variables, "LN_MARKETS_REQUESTS_PER_SECOND", default="5"),
        ln_markets_public_rate=_rate(
            variables, "LN_MARKETS_PUBLIC_REQUESTS_PER_SECOND", default="1"
        ),
        margin_interval=_whole(variables, "AXISOR_MARGIN_INTERVAL", 1, 60, default="5"),
    )


def refuse_unknown(variables: Mapping[str, str]) -> None:
    """Raise `InvalidEnvironment` for an `AXISOR_…` variable the platform does not know."""
    for name in sorted(variables):
        if name.startswith("AXISOR_") and name not in KNOWN:
            known = ", ".join(sorted(KNOWN))
            raise InvalidEnvironment(f"{name} is not a setting of Axisor. Known are: {known}.")


def url(
    variables: Mapping[str, str], name: str, *, schemes: tuple[str, ...], default: str | None = None
) -> str:
    """Read a URL variable; `default` None makes it required. The value is never repeated."""
    value = variables.get(name) or default
    if value is None:
        raise InvalidEnvironment(_missing(name))
    if value == "":
        return ""
    allowed = " or ".join(f"{scheme}://" for scheme in schemes)
    if not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise InvalidEnvironment(f"{name} must be a URL that starts with {allowed}.")
    if not _host(value):
        raise InvalidEnvironment(f"{name} must name a host after {allowed}.")
    if not _has_good_port(value):
        raise InvalidEnvironment(f"{name}: the port after the host must be from 1 to 65535.")
    return value


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _has_good_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _folder(variables: Mapping[str, str], name: str) -> str | None:
    value = variables.get(name)
    if value and not Path(value).is_dir():
        raise InvalidEnvironment(f"{name} must be a folder that is there, or unset.")
    return value or None


def _flag(variables: Mapping[str, str], name: str, *, default: str) -> bool:
    value = (variables.get(name) or default).lower()
    if value not in ("true", "false"):
        raise InvalidEnvironment(f"{name} must be true or false.")
    return value == "true"


def _whole(variables: Mapping[str, str], name: str, least: int, most: int, *, default: str) -> int:
    value = variables.get(name) or default
    if not WHOLE.fullmatch(value) or not least <= int(value) <= most:
        raise InvalidEnvironment(
            f"{name} must be a whole number from {least} to {most}, as in {default}."
        )
    return int(value)


def _rate(variables: Mapping[str, str], name: str, *, default: str) -> float:
    value = variables.get(name) or default
    if not RATE.fullmatch(value) or not 0.01 <= float(value) <= 1000:
        raise InvalidEnvironment(f"{name} must be a number from 0.01 to 1000, as in 5 or 0.5.")
    return float(value)


def _required(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "")
    if not value:
        raise InvalidEnvironment(_missing(name))
    return value


def _missing(name: str) -> str:
    return f"{name} is not set ({KNOWN[name]}). `make run` makes its own; elsewhere, set it."


def _secret_key(value: str) -> str:
    if len(value) < MIN_SECRET_LENGTH or len(set(value)) < 5 or "change" in value.lower():
        raise InvalidEnvironment(
            "AXISOR_SECRET_KEY is too short or a placeholder: use at least "
            f"{MIN_SECRET_LENGTH} random characters, for instance from `openssl rand -base64 48`."
        )
    return value


def _vault_keys(value: str) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for entry in value.split(","):
        key_id, _, encoded = entry.strip().partition(":")
        if not key_id.isidentifier() or key_id in keys:
            raise InvalidEnvironment("AXISOR_VAULT_KEYS: each entry is id:base64, ids differ.")
        keys[key_id] = _vault_key(encoded)
    return keys


def _vault_key(encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != VAULT_KEY_BYTES or len(set(key)) == 1:
        raise InvalidEnvironment(
            f"AXISOR_VAULT_KEYS: a key is the base64 of {VAULT_KEY_BYTES} random bytes, "
            "for instance from `openssl rand -base64 32`."
        )
    return key


def _hosts(value: str) -> list[str]:
    hosts = [host.strip() for host in value.split(",") if host.strip()]
    if not hosts or any("/" in host or "*" in host for host in hosts):
        raise InvalidEnvironment(
            "AXISOR_ALLOWED_HOSTS must be host names, comma separated, without * or scheme."
        )
    return hosts
