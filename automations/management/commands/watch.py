"""The process that keeps the feed fresh, from the exchanges' streams and over HTTP."""

import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand

from automations.watch.watching import Watch


class Command(BaseCommand):
    """Several may run at once: they share the work."""

    help = "Watch markets and accounts, until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        """Watch until told to stop."""
        stopping, watch = Event(), Watch()

        def stop(*_: object) -> None:
            stopping.set()
            watch.wake()

        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, stop)
        self.stdout.write("watch: ready.")
        self.stdout.flush()
        watch.run(stopping)
