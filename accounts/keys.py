"""What the key of an account has to be, and what its owner should know of it."""

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.credentials import check_credentials
from accounts.errors import InvalidField
from accounts.gateway import Verified, verify_credentials
from accounts.models import ExchangeAccount, User
from accounts.opening import require_enabled
from accounts.selectors import accounts_of
from accounts.standing import TRADE
from exchanges.models import Exchange
from exchanges.registry import adapter, scope_of
from exchanges.types import Credentials, Permission


@sensitive_variables()
def verify(exchange: Exchange, credentials: Credentials, *, accept_withdrawals: bool) -> Verified:
    """Ask the exchange whose key it is and what it may do; raises what `connect_account` raises."""
    check_credentials(credentials, has_passphrase=adapter(exchange.adapter).has_passphrase)
    require_enabled(exchange)
    verified = verify_credentials(exchange, credentials)
    if not accept_withdrawals:
        _refuse_withdrawals(exchange, verified)
    return verified


def _refuse_withdrawals(exchange: Exchange, verified: Verified) -> None:
    if Permission.WITHDRAW in (verified.permissions or ()):
        raise InvalidField(
            "accept_withdrawals",
            "this key may withdraw: whoever gets hold of it can take all your funds, and nothing"
            " here needs that. Make a key without the permission"
            f" {scope_of(exchange.adapter, Permission.WITHDRAW)}, or set this to true to take the"
            " risk.",
        )


def refuse_stranger(account: ExchangeAccount, verified: Verified) -> None:
    """Automations and history belong to one account of the exchange, and stay with it."""
    if account.remote_id in {"", verified.info.id}:
        return
    exchange = account.exchange
    if adapter(exchange.adapter).names_accounts:
        trouble = f"this key belongs to another account of {exchange.name} than {account.name}"
    else:
        trouble = f"{exchange.name} does not say whether this is a key of {account.name}"
    raise InvalidField("key", f"{trouble}: connect it as a new account.")


def refuse_connected_twice(
    user: User, exchange: Exchange, verified: Verified, *, replaced: ExchangeAccount | None = None
) -> None:
    """Two rows for one account would guard its positions twice and spend its limits twice."""
    twins = accounts_of(user.pk).filter(
        exchange=exchange, remote_id=verified.info.id, disconnected_at=None
    )
    if replaced is not None:
        twins = twins.exclude(pk=replaced.pk)
    if known := twins.first():
        raise InvalidField(
            "key",
            f"this account of {exchange.name} is connected already, as {known.name}: use that one,"
            " or disconnect it first.",
        )


def begin_state(account: ExchangeAccount, verified: Verified) -> str:
    """What was said of the old key is over; return what its owner should know of the new one."""
    account.state, account.state_at = ExchangeAccount.State.OK, timezone.now()
    account.state_message = account.state_operation = ""
    return note_permissions(account, verified)


def note_permissions(account: ExchangeAccount, verified: Verified) -> str:
    """Put into the account what its key lacks; return what its owner should know of the key."""
    if verified.permissions is None:
        return f" {account.exchange.name} does not say what the key may do."
    notes = []
    if Permission.WITHDRAW in verified.permissions:
        notes.append("Its key may withdraw, which was accepted.")
    if Permission.TRADE not in verified.permissions:
        scope = scope_of(account.exchange.adapter, Permission.TRADE)
        account.state, account.state_operation = ExchangeAccount.State.SCOPE_MISSING, TRADE
        account.state_message = f"The key may not trade: it lacks the permission {scope}."
        notes.append(account.state_message)
    return "".join(f" {note}" for note in notes)
