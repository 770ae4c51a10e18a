"""The schedule in Redis: RedBeat's entries of the automations, and the scripts that change them.

    <prefix><user>-<account>-<automation>   an entry: RedBeat's `definition` and `meta`, and the
                                            `calendar` of the automation, if it has one
    <prefix>:schedule                       RedBeat's sorted set: entries by when they are due
    <prefix>:user:<id>                      the entries of a user, and their revision
    <prefix>:fired                          automations by the due time that was fired last
    <prefix>:epoch                          there while the schedule is whole

`replace` puts a user's entries into the place of the old ones in one step. It is fenced by the
revision of what it was made from: who read the database earlier cannot overwrite who read it
later. `fire` moves due entries on and sends their messages in one step, fenced by the lock of the
beat that leads and by the due times it has read: a beat that lost the lock writes nothing, and
what changed meanwhile is left alone. So a crash, a frozen process or a lost answer neither loses
nor doubles a slot, nor leaves half of one account's entries beside half of another's.

Entries that come, come back or change are due at once if the due time that is past was not fired
yet, and else at the next one. So switching back and forth neither starves nor doubles anything.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import redis
from celery import current_app
from celery.schedules import schedule
from redbeat.decoder import RedBeatJSONEncoder
from redbeat.schedulers import RedBeatConfig, ensure_conf, get_redis

from automations.timing import second_of

EVALUATE_TASK = "automations.evaluate"
UUID_PATTERN = "-".join("?" * length for length in (8, 4, 4, 4, 12))
REMEMBER_FIRED = timedelta(days=2)
"""Longer than any period: how long it is known what was fired last."""

# KEYS: schedule, the user's entries, fired. ARGV: revision; number of strays, the keys of each;
# per wanted entry: key, automation, definition, calendar, meta, due if not fired, else due.
REPLACE = """
local revision = redis.call('HGET', KEYS[2], 'revision')
if revision and tonumber(revision) > tonumber(ARGV[1]) then return -1 end
local gone, changed = {}, 0
for _, key in ipairs(redis.call('HKEYS', KEYS[2])) do gone[key] = true end
gone['revision'] = nil
for i = 3, 2 + ARGV[2] do gone[ARGV[i]] = true end
for i = 3 + ARGV[2], #ARGV, 7 do
  local key, definition, calendar = ARGV[i], ARGV[i + 2], ARGV[i + 3]
  local stored = redis.call('HMGET', key, 'definition', 'calendar')
  if stored[1] ~= definition or stored[2] ~= calendar or not redis.call('ZSCORE', KEYS[1], key) then
    local fired, due = redis.call('ZSCORE', KEYS[3], ARGV[i + 1]), ARGV[i + 5]
    if fired and tonumber(fired) >= tonumber(due) then due = ARGV[i + 6] end
    redis.call('HSET', key, 'definition', definition, 'calendar', calendar, 'meta', ARGV[i + 4])
    redis.call('ZADD', KEYS[1], due, key)
    changed = changed + 1
  end
  redis.call('HSET', KEYS[2], key, 1)
  gone[key] = nil
end
for key in pairs(gone) do
  redis.call('DEL', key)
  redis.call('ZREM', KEYS[1], key)
  redis.call('HDEL', KEYS[2], key)
  changed = changed + 1
end
redis.call('HSET', KEYS[2], 'revision', ARGV[1])
return changed
"""

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


# KEYS: fired. ARGV: per tick: automation, second of its slot.
FORGET = """
for i = 1, #ARGV, 2 do
  local fired = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if fired and math.floor(tonumber(fired)) == tonumber(ARGV[i + 1]) then
    redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What `replace` writes of an automation, due at `due` if that was not fired, else at `then`.

    Its name is `user-account-automation`; `period` is in seconds, `calendar` as in its config.
    """

    user_id: int
    account_id: UUID
    automation_id: UUID
    period: int
    calendar: dict[str, Any] | None
    due: float
    then: float

    @property
    def name(self) -> str:
        """`user-account-automation`."""
        return f"{self.user_id}-{self.account_id}-{self.automation_id}"

    @property
    def definition(self) -> str:
        """As RedBeat writes it, so that its own tools can read it."""
        every = schedule(run_every=timedelta(seconds=self.period), app=current_app)
        definition = {
            "name": self.name,
            "task": EVALUATE_TASK,
            "args": [str(self.automation_id)],
            "kwargs": {},
            "options": {},
            "schedule": every,
            "enabled": True,
        }
        return json.dumps(definition, cls=RedBeatJSONEncoder)


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


def client() -> redis.Redis:
    """RedBeat's own connections."""
    return cast(redis.Redis, get_redis(current_app))


def config() -> RedBeatConfig:
    """RedBeat's configuration: prefix, and the keys of schedule and lock."""
    return ensure_conf(current_app)


@dataclass(frozen=True, slots=True)
class Replacement:
    """The entries a user should have, as of a revision. The names in `strays` go as well."""

    user_id: int
    revision: int
    entries: Sequence[Entry]
    strays: Sequence[str] = ()


def replace(replacements: Iterable[Replacement]) -> list[int]:
    """Replace the entries of many users, each in one step, in one round trip.

    Returns of each how many entries came, changed or went, -1 where a newer revision is there.
    """
    script = client().register_script(REPLACE)
    with client().pipeline(transaction=False) as pipeline:
        for one in replacements:
            keys = [config().schedule_key, f"{config().key_prefix}:user:{one.user_id}"]
            script(keys=[*keys, _fired_key()], args=_arguments(one), client=pipeline)
        return cast(list[int], pipeline.execute())


def _arguments(replacement: Replacement) -> list[Any]:
    prefix, strays = config().key_prefix, replacement.strays
    arguments: list[Any] = [replacement.revision, len(strays)]
    arguments += [f"{prefix}{name}" for name in strays]
    for entry in replacement.entries:
        calendar = json.dumps(entry.calendar, sort_keys=True) if entry.calendar else ""
        arguments += [
            f"{prefix}{entry.name}",
            str(entry.automation_id),
            entry.definition,
            calendar,
            _meta(entry.due - entry.period),
            entry.due,
            entry.then,
        ]
    return arguments


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


def fire(token: bytes, firings: Sequence[Firing], *, queue: str, messages: Iterable[str]) -> None:
    """Move entries on and send `messages`, all or nothing. Raises `LockLost` and `Changed`."""
    keys = [config().lock_key, config().schedule_key, _fired_key(), queue]
    arguments: list[Any] = [token, len(firings)]
    for one in firings:
        arguments += [
            one.key, one.due, one.then, _meta(one.taken), one.automation_id, one.taken,
        ]  # fmt: skip
    outcome = client().register_script(FIRE)(keys=keys, args=[*arguments, *messages])
    if outcome == "lost":
        raise LockLost
    if outcome == "changed":
        raise Changed


def forget_fired(ticks: Mapping[str, str]) -> None:
    """These were fired and not looked at, automations and slots: they are due once more."""
    arguments = [each for id_, slot in ticks.items() for each in (id_, second_of(slot))]
    client().register_script(FORGET)(keys=[_fired_key()], args=arguments)


def names() -> set[str]:
    """The names of all entries of automations."""
    conf = config()
    pattern = f"{conf.key_prefix}*-{UUID_PATTERN}-{UUID_PATTERN}"
    found = client().zscan_iter(conf.schedule_key, match=pattern, count=1000)
    return {key.removeprefix(conf.key_prefix) for key, _ in found}


def due_at(names: Sequence[str]) -> list[datetime | None]:
    """When each of these entries is due, None for one that is not scheduled."""
    if not names:
        return []
    conf = config()
    keys = [f"{conf.key_prefix}{name}" for name in names]
    scores = client().zmscore(conf.schedule_key, keys)
    return [None if score is None else datetime.fromtimestamp(score, UTC) for score in scores]


def is_whole() -> bool:
    """Whether the schedule was written since Redis was empty last."""
    return bool(client().exists(_epoch_key()))


def note_whole() -> None:
    """The schedule was written completely; forget what was fired long ago."""
    now = datetime.now(UTC)
    client().zremrangebyscore(_fired_key(), "-inf", (now - REMEMBER_FIRED).timestamp())
    client().set(_epoch_key(), now.isoformat())


def _meta(fired: float) -> str:
    last_run_at = datetime.fromtimestamp(fired, UTC)
    return json.dumps({"last_run_at": last_run_at}, cls=RedBeatJSONEncoder)


def _fired_key() -> str:
    return f"{config().key_prefix}:fired"


def _epoch_key() -> str:
    return f"{config().key_prefix}:epoch"
