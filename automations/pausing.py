"""Who rests, at which level, by whom and why: an automation, an account, a user, everything.

An automation that is paused at any level is not looked at, leaves the schedule, and claims nothing
any more, from the moment in which that is committed. Its own pause stands in its row; those above
are restrictions, which who imposed them lifts, or an operator.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from pydantic import ValidationError

from accounts.errors import AccountInactive, InvalidField
from accounts.models import ExchangeAccount, User
from accounts.opening import require_usable
from accounts.selectors import active_account
from automations import changes, journal, restrictions, schedule
from automations.margin import unguarded
from automations.models import Automation, Restriction
from automations.rules.base import Reason
from automations.services import require_capabilities

PAUSED = Restriction.What.PAUSED


class Level(StrEnum):
    """What is paused as a whole."""

    AUTOMATION = "automation"
    ACCOUNT = "account"
    USER = "user"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Pause:
    """That something rests. `by` is the name of who paused it, empty where that is not known."""

    level: Level
    reason: str
    by: str
    at: datetime | None


class NotYours(Exception):
    """Somebody else paused it: an operator has to lift that; the message says so."""


def pause(automation: Automation, *, by: User, reason: str) -> bool:
    """Let one automation rest; False when it rests already, which changes nothing."""
    with transaction.atomic():
        guards = {automation.name} & set(unguarded.running_on(automation.account))
        paused = Automation.objects.filter(pk=automation.pk, is_active=True).update(
            is_active=False, paused_at=Now(), paused_by=by, pause_reason=reason
        )
        if paused:
            unguarded.note_loss(automation.account, sorted(guards))
            _record(automation, "paused", by, reason)
    automation.refresh_from_db()
    return bool(paused)


def resume(automation: Automation, *, by: User) -> bool:
    """Let it run again; False when it does already, which changes nothing.

    Raises `AccountInactive` and `InvalidField` for one that could not run.
    """
    require_able(automation)
    with transaction.atomic():
        resumed = Automation.objects.filter(
            pk=automation.pk, is_active=False, deleted_at=None
        ).update(is_active=True, paused_at=None, paused_by=None, pause_reason="")
        if resumed:
            _record(automation, "resumed", by, "")
    automation.refresh_from_db()
    return bool(resumed)


def pause_all(
    *, by: User, reason: str, user: User | None = None, account: ExchangeAccount | None = None
) -> None:
    """Let everything rest: of an account, of a user, or of everybody, with neither."""
    left = account or (user and active_account(user.pk))
    with transaction.atomic():
        guards = unguarded.running_on(left) if left else []
        restrictions.impose(PAUSED, by=by, reason=reason, user=user, account=account)
        if left:
            unguarded.note_loss(left, guards)


def resume_all(
    *, by: User, user: User | None = None, account: ExchangeAccount | None = None
) -> bool:
    """Lift the pause of that level; False where there is none.

    Raises `NotYours` where another one imposed it and `by` is no operator, and `AccountInactive`
    for an account that could not run.
    """
    if account is not None:
        require_account_able(account)
    held = Restriction.objects.filter(
        what=PAUSED, user=user, account=account, lifted_at=None
    ).first()
    if held is None:
        return False
    if held.imposed_by_id != by.pk and not by.is_staff:
        raise NotYours("An operator paused this, and only an operator resumes it.")
    return restrictions.lift(held, by=by)


def require_able(automation: Automation) -> None:
    """Raise `AccountInactive` or `InvalidField`, which say why it could not run if it were let."""
    require_account_able(automation.account)
    try:
        require_capabilities(automation.kind, automation.config, automation.account)
    except ValidationError:
        raise InvalidField(
            "config", "is no longer what this kind allows: change it before you resume."
        ) from None


def require_account_able(account: ExchangeAccount) -> None:
    """Raise `AccountInactive` for an account whose automations would be blind."""
    require_usable(account)
    if account.state == ExchangeAccount.State.CREDENTIALS_REFUSED:
        raise AccountInactive(
            f"{account.exchange.name} refuses the key of {account.name}: replace it first."
        )


def pauses_of(automations: Collection[Automation]) -> dict[UUID, list[Pause]]:
    """What each rests for, the nearest first; nothing for one that nobody paused.

    Costs one statement, if the automations bring `paused_by` along.
    """
    accounts = {each.account_id for each in automations}
    users = {each.user_id for each in automations}
    held = Restriction.objects.filter(
        Q(account__in=accounts) | Q(user__in=users) | Q(user=None, account=None),
        what=PAUSED,
        lifted_at=None,
    ).select_related("imposed_by")
    above: defaultdict[tuple[int | None, UUID | None], list[Pause]] = defaultdict(list)
    for each in held:
        above[each.user_id, each.account_id].append(_of_restriction(each))
    return {
        each.id: [
            *_own(each),
            *above[None, each.account_id],
            *above[each.user_id, None],
            *above[None, None],
        ]
        for each in automations
    }


def pauses_above(
    *, user: User | None = None, account: ExchangeAccount | None = None
) -> list[Pause]:
    """What an account, a user, or everybody rests for, as wholes."""
    places = Q(user=None, account=None)
    if user is not None:
        places |= Q(user=user)
    if account is not None:
        places |= Q(account=account) | Q(user=account.user_id)
    held = Restriction.objects.filter(places, what=PAUSED, lifted_at=None)
    return [_of_restriction(each) for each in held.select_related("imposed_by")]


def said(pauses: Collection[Pause]) -> str:
    """Of the nearest of them: at which level, by whom and why; empty where there is none."""
    for nearest in pauses:
        of = "Everything" if nearest.level is Level.EVERYTHING else f"The {nearest.level}"
        by = f" by {nearest.by}" if nearest.by else ""
        why = f": {nearest.reason}" if nearest.reason else "."
        return f"{of} is paused{by}{why}"
    return ""


def _own(automation: Automation) -> list[Pause]:
    if automation.is_active:
        return []
    by = automation.paused_by.get_username() if automation.paused_by else ""
    return [Pause(Level.AUTOMATION, automation.pause_reason, by, automation.paused_at)]


def _of_restriction(held: Restriction) -> Pause:
    level = Level.ACCOUNT if held.account_id else Level.USER if held.user_id else Level.EVERYTHING
    return Pause(level, held.reason, held.imposed_by.get_username(), held.imposed_at)


def _record(automation: Automation, what: str, by: User, reason: str) -> None:
    schedule.follow_user(automation.user_id)
    changes.record(f"automation_{what}", automation, by=by, reason=reason)
    why = f": {reason}" if reason else "."
    told = Reason(what, f"{by.get_username()} {what} it{why}")
    journal.tell(automation, told, kind=f"automation_{what}", why=reason)
