"""What stands in a queue and is no message is dropped, and the next message is read."""

import json
from contextlib import suppress
from uuid import uuid4

import pytest
import redis
from celery import current_app
from django.conf import settings
from kombu import Consumer, Producer, Queue

from axisor.broker import is_envelope

ENVELOPE = {
    "body": "e30=",
    "headers": {},
    "properties": {
        "delivery_tag": "t",
        "delivery_info": {"exchange": "", "routing_key": "q"},
    },
}


@pytest.mark.parametrize(
    "rubbish", ["no JSON", "{}", "[]", "7", "null", '{"body": 1}', '{"body": "", "headers": {}}']
)
def test_rubbish_is_dropped_and_the_next_message_is_read(rubbish):
    name, seen = f"rubbish-{uuid4()}", []
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.lpush(name, rubbish)
    with current_app.connection_for_read() as connection:
        producer = Producer(connection)
        producer.publish({"a": 1}, exchange="", routing_key=name, declare=[Queue(name)])
        rest = Consumer(connection, [Queue(name)], callbacks=[lambda body, _: seen.append(body)])
        with rest, suppress(TimeoutError):
            while not seen:
                connection.drain_events(timeout=2)
    assert seen == [{"a": 1}]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("body",), None),
        (("headers",), None),
        (("properties",), []),
        (("properties", "delivery_tag"), None),
        (("properties", "delivery_info"), None),
        (("properties", "delivery_info", "exchange"), ...),
    ],
)
def test_an_envelope_has_what_kombu_needs(path, value):
    assert is_envelope(ENVELOPE)
    broken = json.loads(json.dumps(ENVELOPE))
    *way, last = path
    place = broken
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    assert not is_envelope(broken)
