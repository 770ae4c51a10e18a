"""What a reduction is watched by: its states, what was told of it, and its recovery."""

from datetime import timedelta

from accounts.models import Event
from automations.models import Errand, Execution, Intent
from automations.recovery import recover
from tests.running import await_that

HALVE = {"type": "reduce_position", "percent": "50", "max_slippage": "0.5"}
SIGN_EARLIER = timedelta(seconds=36)
BOTH = ["close", "new_trade"]
OPEN = ("planned", "sending", "unknown")
SECONDS = 20


def states():
    return list(Intent.objects.order_by("leg").values_list("state", flat=True))


def told(code):
    return Event.objects.filter(severity="critical", data__reason=code).count()


def past_the_window():
    """As if what is unknown was signed so long ago that the exchange no longer takes it."""
    for intent in Intent.objects.filter(state="unknown"):
        Intent.objects.filter(pk=intent.pk).update(signed_at=intent.signed_at - SIGN_EARLIER)


def recover_all(guarded, *, late=False):
    """The sweep, as often as it takes; `late` lets the signature window be over."""

    def is_over():
        recover(guarded.account)
        if late:
            past_the_window()
        return not Errand.objects.exists() and not Intent.objects.filter(state__in=OPEN).exists()

    await_that(is_over, SECONDS)
    return Execution.objects.get()
