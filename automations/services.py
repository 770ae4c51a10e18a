"""Everything that changes an automation. The schedule follows once a change is committed."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.errors import InvalidField
from accounts.models import ExchangeAccount, User
from automations import schedule
from automations.models import Automation, Proposal
from automations.rules.registry import kind_of
from exchanges.registry import adapter

WRITTEN = (
    "name", "config", "every", "timeout", "retries", "backoff", "mode", "is_active", "deleted_at",
    "updated_at",
)  # fmt: skip
"""What people write; the rest of the row is written by runs, meanwhile perhaps."""


def create_automation(
    *,
    user: User,
    account: ExchangeAccount,
    kind: str,
    name: str,
    config: dict[str, Any],
    mode: str = Automation.Mode.LIVE,
    is_active: bool = True,
    **policy: int | None,
) -> Automation:
    """Create and schedule an automation.

    `policy` is what it has of its own of `every`, `timeout`, `retries` and `backoff`.

    Raises `UnknownKind`, `InvalidField` for a kind that the account's exchange cannot serve, and
    `pydantic.ValidationError` for a config its kind does not allow.
    """
    automation = Automation(
        user=user,
        account=account,
        kind=kind,
        name=name,
        config=config,
        mode=mode,
        is_active=is_active,
        **policy,
    )
    return save_automation(automation=automation)


def clone_automation(
    *, automation: Automation, name: str, account: ExchangeAccount | None = None
) -> Automation:
    """Another one with the same config and policy, paused; on `account`, or on the same one."""
    return create_automation(
        user=automation.user,
        account=account or automation.account,
        kind=automation.kind,
        name=name,
        config=automation.config,
        mode=automation.mode,
        is_active=False,
        every=automation.every,
        timeout=automation.timeout,
        retries=automation.retries,
        backoff=automation.backoff,
    )


def copy_automation(automation: Automation) -> Automation:
    """Another one like it on the same account, paused, with a name that says so."""
    room = Automation._meta.get_field("name").max_length or 0  # noqa: SLF001
    return clone_automation(automation=automation, name=f"{automation.name[: room - 7]} (copy)")


def update_automation(*, automation: Automation, **changes: Any) -> Automation:
    """Change `name`, `config`, `mode`, `is_active` or what is in its policy; the rest stays."""
    for field, value in changes.items():
        setattr(automation, field, value)
    return save_automation(automation=automation)


def delete_automation(*, automation: Automation) -> None:
    """Stop an automation for good; its history stays."""
    automation.is_active = False
    automation.deleted_at = timezone.now()
    with transaction.atomic():
        save_automation(automation=automation)
        asked = automation.proposals.filter(state=Proposal.State.OPEN)
        asked.update(state=Proposal.State.EXPIRED)


def normalized(kind: str, config: dict[str, Any], *, zone: str) -> dict[str, Any]:
    """A checked config with its defaults written out, as it is stored.

    `zone` is its owner's time zone, for calendars that name none.
    """
    parsed = kind_of(kind).parse(config, now=timezone.now(), zone=zone)
    written: dict[str, Any] = parsed.model_dump(mode="json")
    return written


def require_capabilities(kind: str, config: dict[str, Any], account: ExchangeAccount) -> None:
    """Raise `InvalidField` unless the account's exchange has all that this config needs."""
    exchange = account.exchange
    missing = kind_of(kind).parse(config).needs() - adapter(exchange.adapter).capabilities
    if missing:
        raise InvalidField(
            "config",
            f"This {kind} cannot run at {exchange.name}, which does not have what it needs:"
            f" {', '.join(sorted(missing))}.",
        )


@transaction.atomic
def save_automation(*, automation: Automation) -> Automation:
    """Save an automation that was changed; raises Django's `ValidationError` for bad fields.

    One that its exchange cannot serve raises `InvalidField`, unless it is paused or deleted.
    """
    if automation.config != _stored_config(automation):
        automation.config = normalized(
            automation.kind, automation.config, zone=automation.user.time_zone
        )
    if automation.is_active or automation.created_at is None:
        require_capabilities(automation.kind, automation.config, automation.account)
    automation.full_clean(exclude=["user", "account"])
    automation.save(update_fields=None if automation.created_at is None else WRITTEN)
    schedule.follow_user(automation.user_id)
    return automation


def _stored_config(automation: Automation) -> Any:
    """A config that is stored was checked when it was written: its dates may be past by now."""
    return Automation.objects.filter(pk=automation.pk).values_list("config", flat=True).first()
