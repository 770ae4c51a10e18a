"""When the margin monitor looks, and where: a round at each exchange, every few seconds."""

import logging
from threading import Event
from time import monotonic

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from automations import selectors
from automations.margin import alerts, unguarded
from automations.margin.rounds import Rounds
from automations.models import MarginAlert
from exchanges.models import Exchange
from exchanges.registry import adapter
from exchanges.types import Capability

log = logging.getLogger(__name__)

HAS_MARGIN = frozenset({Capability.ISOLATED, Capability.CROSS})


class Monitor:
    """Begins the rounds, every `settings.MARGIN_INTERVAL` seconds, and waits for none."""

    def __init__(self, stopping: Event) -> None:
        self._stopping = stopping
        self._rounds: dict[int, Rounds] = {}

    def run(self) -> None:
        """Look again and again until told to stop."""
        while not self._stopping.is_set():
            began = monotonic()
            self.look()
            self._stopping.wait(max(0.0, began + settings.MARGIN_INTERVAL - monotonic()))
        for rounds in self._rounds.values():
            rounds.stop()

    def look(self) -> None:
        """Begin a round at each exchange, and see to what no round reaches; a database may be
        away."""
        close_old_connections()
        try:
            self._begin_rounds()
            watched = selectors.watched_accounts()
            for alert in MarginAlert.objects.exclude(account__in=watched).select_related(
                "account__user"
            ):
                alerts.unwatch(alert)
            unguarded.remind()
        except DatabaseError as error:
            log.warning("The database does not answer: %s", type(error).__name__)

    def _begin_rounds(self) -> None:
        watched = selectors.watched_accounts()
        for exchange in Exchange.objects.filter(accounts__in=watched).distinct():
            if adapter(exchange.adapter).capabilities & HAS_MARGIN:
                rounds = self._rounds.setdefault(exchange.pk, Rounds(self._stopping))
                rounds.begin(exchange)
