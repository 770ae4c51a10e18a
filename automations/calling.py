"""Calling a worker: a message that says there is an errand. If it is lost, `sweep` finds that."""

from celery import current_app

from automations.models import Automation
from automations.rules.registry import kind_of


def call_a_worker(automation: Automation, *, slot: str, cause: str) -> None:
    """Have the errands of its account run: a protective one goes ahead of all others."""
    is_protective = kind_of(automation.kind).is_protective
    current_app.send_task(
        "automations.execute",
        (str(automation.id), slot, cause),
        queue="critical" if is_protective else "execute",
    )
