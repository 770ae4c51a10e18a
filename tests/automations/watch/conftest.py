"""A watch over a guarded position, with a real stream, whose loop the test drives."""

from collections.abc import Iterator
from threading import Event, Thread

import pytest
import redis
from django.conf import settings
from django.db import connections

from automations.watch import account, market
from automations.watch.watching import Watch
from tests.automations.conftest import Guarded


@pytest.fixture
def broker() -> Iterator["redis.Redis"]:
    """An empty Redis, to be emptied again."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client


class Watching:
    """Runs a watch like its process does."""

    def __init__(self) -> None:
        self.watch = Watch()
        self._stopping = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def accounts(self) -> set[object]:
        return set(self.watch._accounts)

    def _run(self) -> None:
        try:
            self.watch.run(self._stopping)
        finally:
            connections.close_all()

    def stop(self) -> None:
        self._stopping.set()
        self.watch.wake()
        self._thread.join(10)


@pytest.fixture
def watching(transactional_db: None, guarded: Guarded, broker: object) -> Iterator[Watching]:
    """One watch, running."""
    watching = Watching()
    yield watching
    watching.stop()


@pytest.fixture
def patient(monkeypatch):
    """Nothing is asked for by its age alone: whoever learns something was told by the stream."""
    for module, name in ((market, "STALE_AFTER"), (account, "READ_EVERY")):
        monkeypatch.setattr(module, name, 60 * getattr(module, name))
