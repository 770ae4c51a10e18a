"""Everything that changes an automation. The schedule follows once a change is committed.

`by` is the person who does it, and stands in the audit; None is the platform itself.
"""

from copy import copy
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
    return add_automation(automation=automation, by=by)


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
    _add(clone, by)
    changes.record_made("automation_cloned", clone, by=by, of=str(automation.pk))
    return clone


def copy_automation(automation: Automation, *, by: User) -> Automation:
    """Another one like it on the same account, paused, with a name that says so."""
    room = Automation._meta.get_field("name").max_length or 0  # noqa: SLF001
    name = f"{automation.name[: room - 7]} (copy)"
    return clone_automation(automation=automation, name=name, by=by)


@transaction.atomic
def update_automation(*, automation: Automation, by: User, **fields: Any) -> Automation:
    """Change some of `WRITTEN`; the rest stays as it is by now, whatever `automation` holds.

    Raises Django's `ValidationError` for bad fields, and `InvalidField` for one that was deleted
    meanwhile, or that its exchange cannot serve, unless it is paused.
    """
    if others := fields.keys() - set(WRITTEN):
        raise TypeError(f"Not to be changed here: {', '.join(sorted(others))}.")
    found = Automation.objects.select_for_update(no_key=True, of=("self",))
    stored = found.select_related("account__exchange", "user").get(pk=automation.pk)
    if stored.deleted_at is not None:
        raise InvalidField("automation", "It was deleted meanwhile: nothing was changed.")
    before = copy(stored)
    for field, value in fields.items():
        setattr(stored, field, value)
    if stored.config != before.config:
        stored.config = normalized(stored.kind, stored.config, zone=stored.user.time_zone)
    if stored.is_active:
        require_capabilities(stored.kind, stored.config, stored.account)
    stored.full_clean(exclude=["user", "account"])
    stored.save(update_fields=[*fields, "updated_at"])
    schedule.follow_user(stored.user_id)
    changes.record_changed(before, stored, by=by)
    automation.refresh_from_db()
    return automation


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
def add_automation(*, automation: Automation, by: User | None, reason: str = "") -> Automation:
    """Save a new one; raises what `create_automation` raises, and Django's `ValidationError`.

    `reason` is where it comes from, if it was not made here.
    """
    _add(automation, by)
    changes.record_made("automation_created", automation, by=by, reason=reason)
    return automation


def _add(automation: Automation, by: User | None) -> None:
    if not automation.is_active:
        automation.paused_at, automation.paused_by = timezone.now(), by
        automation.pause_reason = "it was not started yet"
    zone = automation.user.time_zone
    automation.config = normalized(automation.kind, automation.config, zone=zone)
    require_capabilities(automation.kind, automation.config, automation.account)
    automation.full_clean(exclude=["user", "account"])
    automation.save(force_insert=True)
    schedule.follow_user(automation.user_id)
