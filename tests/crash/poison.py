"""Messages that nobody can run, as a fault or a foe might put them into the broker."""

import base64
import json
import uuid
from typing import Any

import redis

QUEUES = ("critical", "execute", "evaluate")


def push_all(client: redis.Redis, *, deleted: str) -> None:
    """Put one of each kind into every queue; `deleted` is an automation that is gone."""
    for queue in QUEUES:
        for message in _messages(queue, deleted):
            client.lpush(queue, message)


def _messages(queue: str, deleted: str) -> list[str]:
    stranger = str(uuid.uuid4())
    execute = "automations.execute"
    return [
        "not even an envelope",
        "{}",
        "[]",
        _message(queue, "automations.unknown", []),
        _message(queue, execute, [stranger, "tick:1", "tick"]),
        _message(queue, execute, [deleted, "tick:1", "tick"]),
        _message(queue, execute, ["' OR 1=1 --", "tick:1", "tick"]),
        _message(queue, execute, [stranger]),
        _message(queue, execute, [[], {}, None]),
        _message(queue, "automations.evaluate", [[[stranger, "tick:1"], ["x", 7]]]),
        _message(queue, "automations.evaluate", ["nothing"]),
        _message(queue, execute, [stranger, "tick:1", "tick"], body="this is not JSON {"),
        _message(queue, execute, [], content_type="application/x-python-serialize"),
    ]


def _message(
    queue: str,
    task: str,
    arguments: list[Any],
    *,
    body: str = "",
    content_type: str = "application/json",
) -> str:
    task_id = str(uuid.uuid4())
    text = body or json.dumps([arguments, {}, {"callbacks": None, "errbacks": None}])
    return json.dumps(
        {
            "body": base64.b64encode(text.encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": content_type,
            "headers": {"lang": "py", "task": task, "id": task_id, "root_id": task_id},
            "properties": {
                "correlation_id": task_id,
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": queue},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": task_id,
            },
        }
    )
