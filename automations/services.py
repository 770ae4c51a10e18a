"""Everything that changes an automation. The schedule follows once a change is committed.

`by` is the person who does it, and stands in the audit; None is the platform itself.
"""

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.errors import InvalidField
from accounts.models import ExchangeAccount, User
from automations import changes, schedule
from automations.models import Automation, Proposal
from automations.rules.registry import kind_of
from exchanges.registry import adapter

WRITTEN = ("name", "config", "every", "timeout", "retries", "backoff", "mode")
"""What people write; the rest of the row is written by runs, meanwhile perhaps. Pausing and
resuming stand in `automations.pausing`."""


def create_automation(
    *,
    user: User,
    account: ExchangeAccount,
    kind: str,
    name: str,
    config: dict[str, Any],
    by: User,
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
    return save_automation(automation=automation, by=by)


@transaction.atomic
def clone_automation(
    *, automation: Automation, name: str, by: User, account: ExchangeAccount | None = None
) -> Automation:
    """Another one with the same config and policy, paused; on `account`, or on the same one."""
    clone = Automation(
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
    _store(clone, by)
    changes.record_made("automation_cloned", clone, by=by, of=str(automation.pk))
    return clone


def copy_automation(automation: Automation, *, by: User) -> Automation:
    """Another one like it on the same account, paused, with a name that says so."""
    room = Automation._meta.get_field("name").max_length or 0  # noqa: SLF001
    name = f"{automation.name[: room - 7]} (copy)"
    return clone_automation(automation=automation, name=name, by=by)


def update_automation(*, automation: Automation, by: User, **fields: Any) -> Automation:
    """Change some of `WRITTEN`; the rest stays as it is."""
    if others := fields.keys() - set(WRITTEN):
        raise TypeError(f"Not to be changed here: {', '.join(sorted(others))}.")
    for field, value in fields.items():
        setattr(automation, field, value)
    return save_automation(automation=automation, by=by)


@transaction.atomic
def delete_automation(*, automation: Automation, by: User) -> None:
    """Stop an automation for good; its history stays. Deleting twice changes nothing."""
    now = timezone.now()
    living = Automation.objects.filter(pk=automation.pk, deleted_at=None)
    if not living.update(is_active=False, deleted_at=now, updated_at=now):
        return
    automation.is_active, automation.deleted_at = False, now
    schedule.follow_user(automation.user_id)
    asked = automation.proposals.filter(state=Proposal.State.OPEN)
    asked.update(state=Proposal.State.EXPIRED)
    changes.record("automation_deleted", automation, by=by, data={"name": automation.name})


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
def save_automation(*, automation: Automation, by: User | None, reason: str = "") -> Automation:
    """Save one that is new or was changed; raises Django's `ValidationError` for bad fields.

    One that its exchange cannot serve raises `InvalidField`, unless it is paused; so does one that
    was deleted meanwhile.
    `reason` is where a new one comes from, if it was not made here.
    """
    before = Automation.objects.select_for_update(no_key=True).filter(pk=automation.pk).first()
    if before is not None and before.deleted_at is not None:
        raise InvalidField("automation", "It was deleted meanwhile: nothing was changed.")
    _store(automation, by)
    if before is None:
        changes.record_made("automation_created", automation, by=by, reason=reason)
    else:
        changes.record_changed(before, automation, by=by)
    return automation


def _store(automation: Automation, by: User | None) -> None:
    is_new = automation.created_at is None
    if is_new and not automation.is_active:
        automation.paused_at, automation.paused_by = timezone.now(), by
        automation.pause_reason = "it was not started yet"
    if automation.config != _stored_config(automation):
        automation.config = normalized(
            automation.kind, automation.config, zone=automation.user.time_zone
        )
    if automation.is_active or is_new:
        require_capabilities(automation.kind, automation.config, automation.account)
    automation.full_clean(exclude=["user", "account"])
    automation.save(update_fields=None if is_new else (*WRITTEN, "updated_at"))
    schedule.follow_user(automation.user_id)


def _stored_config(automation: Automation) -> Any:
    """A config that is stored was checked when it was written: its dates may be past by now."""
    return Automation.objects.filter(pk=automation.pk).values_list("config", flat=True).first()
