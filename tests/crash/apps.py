"""What a process of the platform becomes when it is to be struck; says so by its environment.

`CRASH_FOLDER` is where strikes are laid, `CRASH_PLANTED` the name of one planted bug.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from django.apps import AppConfig


class CrashConfig(AppConfig):
    """Shortens the clocks, arms the failpoints, switches the planted bug on."""

    name = "tests.crash"
    label = "crash"

    def ready(self) -> None:
        """Called once every model is loaded, before the process does anything."""
        from tests.crash import clocks, planted, strikes

        clocks.shorten()
        folder = os.environ.get("CRASH_FOLDER")
        if folder is None:
            return
        strikes.arm(Path(folder))
        planted.switch_on(os.environ.get("CRASH_PLANTED", ""))
        if "beat" in sys.argv:
            note_every_tick(Path(folder) / "sent")


def note_every_tick(file: Path) -> None:
    """Write down each slot that the beat makes, before it leaves."""
    from celery.signals import before_task_publish

    def note(body: Any, **_: Any) -> None:
        for automation, slot in body[0][0]:
            note_slot(file, automation, slot)

    before_task_publish.connect(note, sender="automations.evaluate", weak=False)


def note_slot(file: Path, automation: str, slot: str) -> None:
    """Append a line that says who is to be run for which slot."""
    with file.open("a") as sent:
        sent.write(json.dumps({"automation": automation, "slot": slot}) + "\n")
