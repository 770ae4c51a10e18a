"""The client, RedBeat's configuration, and the names of what is in Redis."""

import json
from datetime import UTC, datetime
from typing import cast

import redis
from celery import current_app
from redbeat.decoder import RedBeatJSONEncoder
from redbeat.schedulers import RedBeatConfig, ensure_conf, get_redis


def client() -> redis.Redis:
    """RedBeat's own connections."""
    return cast(redis.Redis, get_redis(current_app))


def config() -> RedBeatConfig:
    """RedBeat's configuration: prefix, and the keys of schedule and lock."""
    return ensure_conf(current_app)


def fired_key() -> str:
    """Automations by the due time that was fired last."""
    return f"{config().key_prefix}:fired"


def tick_key() -> str:
    """When the beat that leads has looked last."""
    return f"{config().key_prefix}:tick"


def epoch_key() -> str:
    """There while the schedule is whole."""
    return f"{config().key_prefix}:epoch"


def meta_of(fired: float) -> str:
    """RedBeat's `meta` of an entry that was fired for a due time."""
    last_run_at = datetime.fromtimestamp(fired, UTC)
    return json.dumps({"last_run_at": last_run_at}, cls=RedBeatJSONEncoder)
