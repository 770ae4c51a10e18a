"""What is due: read, moved on and sent."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from automations.timetable.keys import client, config, fired_key, meta_of, tick_key

TICK_MILLISECONDS = 10_000
"""A beat that has not looked for so long is silent."""

# KEYS: lock, schedule, fired, queue. ARGV: token; number of entries; per entry: key, due as read,
# next due, meta, automation, slot's due time; then the messages.
FIRE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'lost' end
local last = 2 + 6 * ARGV[2]
for i = 3, last, 6 do
  local due = redis.call('ZSCORE', KEYS[2], ARGV[i])
  if not due or tonumber(due) ~= tonumber(ARGV[i + 1]) then return 'changed' end
end
for i = 3, last, 6 do
  redis.call('HSET', ARGV[i], 'meta', ARGV[i + 3])
  redis.call('ZADD', KEYS[2], ARGV[i + 2], ARGV[i])
  redis.call('ZADD', KEYS[3], ARGV[i + 5], ARGV[i + 4])
end
for i = last + 1, #ARGV do redis.call('LPUSH', KEYS[4], ARGV[i]) end
return 'fired'
"""


# KEYS: schedule, the entry.
REMOVE_REMNANT = """
if redis.call('HEXISTS', KEYS[2], 'definition') == 0 then redis.call('ZREM', KEYS[1], KEYS[2]) end
"""


@dataclass(frozen=True, slots=True)
class Due:
    """An entry that is due, as it is stored."""

    key: str
    at: float
    definition: str | None
    calendar: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Seconds until the next entry is due, how many there are, and messages in the queue."""

    until_next: float
    entries: int
    messages: int


@dataclass(frozen=True, slots=True)
class Firing:
    """A due entry and how it goes on: it was due at `due`, is fired for `taken`, and due `then`.

    `missed` is how many due times went by before the one that is taken.
    """

    key: str
    automation_id: str
    due: float
    taken: float
    then: float
    missed: int


class LockLost(Exception):
    """Another beat leads: nothing was written."""


class Changed(Exception):
    """An entry was changed since it was read: nothing was written, read it again."""


def due(now: float, *, most: int) -> list[Due]:
    """The entries that are due, first things first."""
    key = config().schedule_key
    found = cast(
        list[tuple[str, float]],
        client().zrange(key, 0, now, byscore=True, offset=0, num=most, withscores=True),
    )
    with client().pipeline(transaction=False) as pipeline:
        for name, _ in found:
            pipeline.hmget(name, ["definition", "calendar"])
        return [Due(*one, *stored) for one, stored in zip(found, pipeline.execute(), strict=True)]


def waiting(now: float, queue: str) -> Waiting:
    """What is not due yet, and what was sent and not taken up."""
    key = config().schedule_key
    with client().pipeline(transaction=False) as pipeline:
        pipeline.zrangebyscore(key, f"({now!r}", "+inf", start=0, num=1, withscores=True)
        pipeline.zcard(key)
        pipeline.llen(queue)
        coming, entries, messages = pipeline.execute()
    return Waiting(coming[0][1] - now if coming else math.inf, entries, messages)


def remove_remnant(key: str) -> None:
    """Take an entry off the schedule that has no definition, unless it has one again meanwhile."""
    client().register_script(REMOVE_REMNANT)(keys=[config().schedule_key, key])


def fire(token: bytes, firings: Sequence[Firing], *, queue: str, messages: Iterable[str]) -> None:
    """Move entries on and send `messages`, all or nothing. Raises `LockLost` and `Changed`."""
    keys = [config().lock_key, config().schedule_key, fired_key(), queue]
    arguments: list[Any] = [token, len(firings)]
    for one in firings:
        arguments += [
            one.key, one.due, one.then, meta_of(one.taken), one.automation_id, one.taken,
        ]  # fmt: skip
    outcome = client().register_script(FIRE)(keys=keys, args=[*arguments, *messages])
    if outcome == "lost":
        raise LockLost
    if outcome == "changed":
        raise Changed


def note_tick(now: float) -> None:
    """The beat that leads has looked at what is due."""
    client().set(tick_key(), repr(now), px=TICK_MILLISECONDS)


def last_tick() -> datetime | None:
    """When a beat has looked at what is due; None when that was too long ago to count."""
    at = cast(str | None, client().get(tick_key()))
    return None if at is None else datetime.fromtimestamp(float(at), UTC)
