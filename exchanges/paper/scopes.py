"""What an API key may do. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What an API key may be allowed to do."""

    ACCOUNT_READ = "account:read"
    DEPOSITS_READ = "account:deposits:read"
    DEPOSITS_WRITE = "account:deposits:write"
    WITHDRAWALS_READ = "account:withdrawals:read"
    WITHDRAWALS_WRITE = "account:withdrawals:write"
    NOTIFICATIONS_READ = "account:notifications:read"
    NOTIFICATIONS_WRITE = "account:notifications:write"
    ISOLATED_READ = "futures:isolated:read"
    ISOLATED_WRITE = "futures:isolated:write"
    CROSS_READ = "futures:cross:read"
    CROSS_WRITE = "futures:cross:write"
    USD_READ = "synthetic-usd:read"
    USD_WRITE = "synthetic-usd:write"


DEFAULT_SCOPES = tuple(scope for scope in Scope if scope is not Scope.WITHDRAWALS_WRITE)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What a key may do. Its secrets are not here: `Account.credentials` has them by its id."""

    id: str
    scopes: tuple[Scope, ...] = DEFAULT_SCOPES
    is_revoked: bool = False
