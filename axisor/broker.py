"""The broker as Celery knows it, but for messages that are none.

Whatever stands in a queue and is not one of Celery's envelopes would end a worker, or leave it
hanging without its supervisor noticing. It is dropped, and said: nothing of ours is written that
way. A proper envelope with an improper content is refused by Celery itself.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Any

from kombu.transport import redis
from kombu.utils.json import dumps

log = logging.getLogger(__name__)


class Channel(redis.Channel):
    """Reads on after something that is not JSON, and writes messages without sending them."""

    _drafts: list[str] | None = None

    @contextmanager
    def drafting(self) -> Iterator[list[str]]:
        """Gives what is published meanwhile as it would stand in its queue; nothing is sent."""
        drafts: list[str] = []
        self._drafts = drafts
        try:
            yield drafts
        finally:
            self._drafts = None

    def _put(self, queue: str, message: dict[str, Any], **options: Any) -> None:
        if self._drafts is None:
            super()._put(queue, message, **options)
        else:
            self._drafts.append(dumps(message))

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # not in its stubs
        except json.JSONDecodeError:
            log.error("Dropped something from a queue that is not a message: it is not JSON.")  # noqa: TRY400
            raise Empty from None


class Transport(redis.Transport):
    """Delivers envelopes only."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str | None) -> None:
        if is_envelope(message):
            super()._deliver(message, queue)
        else:
            log.error("Dropped something from the queue %s that is not a message.", queue)


def is_envelope(message: Any) -> bool:
    """Whether it has what kombu needs to hand it on, and to acknowledge it."""
    if not isinstance(message, dict) or not isinstance(message.get("body"), str):
        return False
    properties = message.get("properties")
    return (
        isinstance(properties, dict)
        and isinstance(message.get("headers"), dict)
        and isinstance(properties.get("delivery_tag"), str)
        and isinstance(properties.get("delivery_info"), dict)
        and {"exchange", "routing_key"} <= properties["delivery_info"].keys()
    )
