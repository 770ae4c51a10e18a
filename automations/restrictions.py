"""What people have stopped: who may, how it is lifted, and what it holds back.

A restriction is checked when a decision is vetted, which says so, and once more in the statement
that claims an intent, so that a stop holds from the moment in which it is committed.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.audit import record_audit
from accounts.models import Event, ExchangeAccount, User
from accounts.outbox import record_events
from automations import schedule
from automations.models import Restriction
from automations.risk import Restrictions
from automations.selectors import restrictions_on

What = Restriction.What


def holding_for(user: User) -> QuerySet[Restriction]:
    """What holds for any account of a user."""
    everywhere = Q(user=None, account=None)
    return Restriction.objects.filter(
        everywhere | Q(user=user) | Q(account__user=user), lifted_at=None
    )


def stops(is_opening: bool) -> Q:
    """Those that stop an action which is opening something, or is not."""
    return Q(what__in=[What.OPENING, What.PROTECTION] if is_opening else [What.PROTECTION])


def in_force(account: ExchangeAccount) -> Restrictions:
    """What holds for an account now."""
    kinds = set(restrictions_on(account.pk, account.user_id).values_list("what", flat=True))
    return Restrictions(
        opening=What.OPENING in kinds,
        protection=What.PROTECTION in kinds,
        unconfirmed=What.UNCONFIRMED in kinds,
    )


@transaction.atomic
def impose(
    what: Restriction.What,
    *,
    by: User,
    reason: str,
    user: User | None = None,
    account: ExchangeAccount | None = None,
) -> Restriction:
    """Stop something at once. Give user or account, or none.

    Imposing it twice changes nothing, but an operator takes over what a user has imposed: from then
    on only operators lift it.
    """
    restriction, is_new = Restriction.objects.get_or_create(
        what=what,
        user=user,
        account=account,
        lifted_at=None,
        defaults={"imposed_by": by, "reason": reason},
    )
    is_taken_over = not is_new and by.is_staff and not restriction.imposed_by.is_staff
    if is_taken_over:
        restriction.imposed_by, restriction.reason = by, reason
        restriction.save(update_fields=["imposed_by", "reason"])
    if is_new or is_taken_over:
        _follow(restriction)
        did = "paused" if what == What.PAUSED else "stopped"
        _tell(restriction, f"{by.get_username()} {did} {_said(restriction)}: {reason}")
        _record("restriction_imposed", restriction, by=by, reason=reason)
    return restriction


@transaction.atomic
def lift(restriction: Restriction, *, by: User) -> bool:
    """Let it go on; False when it was lifted already."""
    lifted = Restriction.objects.filter(pk=restriction.pk, lifted_at=None).update(
        lifted_by=by, lifted_at=timezone.now()
    )
    if lifted:
        _follow(restriction)
        did = "resumed" if restriction.what == What.PAUSED else "lifted the stop of"
        _tell(restriction, f"{by.get_username()} {did} {_said(restriction)}.")
        _record("restriction_lifted", restriction, by=by)
    return bool(lifted)


def _follow(restriction: Restriction) -> None:
    """What is paused leaves the schedule."""
    if restriction.what != What.PAUSED:
        return
    owner = restriction.account.user if restriction.account else restriction.user
    if owner is None:
        schedule.follow_everybody()
    else:
        schedule.follow_user(owner.pk)


def _said(restriction: Restriction) -> str:
    words = {
        What.OPENING: "all opening",
        What.PROTECTION: "everything, protection too",
        What.UNCONFIRMED: "whatever nobody has confirmed",
        What.PAUSED: "everything",
    }
    if restriction.account:
        return f"{words[What(restriction.what)]} on {restriction.account.name}"
    return words[What(restriction.what)]


def _tell(restriction: Restriction, message: str) -> None:
    record_events(
        _concerned(restriction),
        kind="restriction",
        severity=Event.Severity.CRITICAL,
        account=restriction.account,
        message=message,
    )


def _record(action: str, restriction: Restriction, *, by: User, reason: str = "") -> None:
    record_audit(
        action,
        by=by,
        subject=f"restriction/{restriction.pk}",
        user=_owner(restriction),
        account=restriction.account,
        reason=reason,
        data={"what": restriction.what},
    )


def _owner(restriction: Restriction) -> User | None:
    return restriction.account.user if restriction.account else restriction.user


def _concerned(restriction: Restriction) -> Iterable[User]:
    owner = _owner(restriction)
    if owner is not None:
        return [owner]
    return User.objects.filter(automation__is_active=True).distinct()
