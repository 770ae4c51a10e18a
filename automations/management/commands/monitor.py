"""The process that watches margins, tells who is in danger and calls the guards."""

import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand

from automations.margin.monitoring import Monitor


class Command(BaseCommand):
    """Several may run: of each crossing one of them tells."""

    help = "Watch the margin of all positions, until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        """Look until told to stop."""
        stopping = Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: stopping.set())
        self.stdout.write("monitor: ready.")
        self.stdout.flush()
        Monitor(stopping).run()
