"""`python -m tests.automations.struck AUTOMATION SLOT PLACE TIME`: a run that is killed on its way.

A process of its own, which kills itself, as `kill -9` does, when it reaches a place on an order's
way for the given time.
"""

import os
import signal
import sys

import django


def main(automation: str, slot: str, place: str, time: str) -> None:
    """Run the automation until the process is no more."""
    django.setup()
    from automations.execution import execute
    from automations.models import Automation
    from tests.automations.striking import strike

    found = Automation.objects.select_related("account__exchange", "account__user")
    with strike(place, lambda: os.kill(os.getpid(), signal.SIGKILL), time=int(time)):
        execute(found.get(pk=automation), slot=slot, cause="tick")


if __name__ == "__main__":
    main(*sys.argv[1:])
