"""What should be in the schedule, and what is asked of it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from celery import current_app
from celery.schedules import schedule
from redbeat.decoder import RedBeatJSONEncoder

from automations.timetable.keys import client, config, epoch_key, fired_key, meta_of
from automations.timing import second_of

EVALUATE_TASK = "automations.evaluate"
UUID_PATTERN = "-".join("?" * length for length in (8, 4, 4, 4, 12))
REMEMBER_FIRED = timedelta(days=2)
"""Longer than any period: how long it is known what was fired last."""

# KEYS: schedule, the user's entries, fired. ARGV: revision; number of strays, the keys of each;
# per wanted entry: key, automation, definition, calendar, meta, the latest due time, when it is due
# if that was not fired, and else. What is
# due or was fired by so many seconds too late was written while a clock was wrong.
REPLACE = """
local TOLERATED = 60
local revision = redis.call('HGET', KEYS[2], 'revision')
if revision and tonumber(revision) > tonumber(ARGV[1]) then return -tonumber(revision) end
local gone, changed = {}, 0
for _, key in ipairs(redis.call('HKEYS', KEYS[2])) do gone[key] = true end
gone['revision'] = nil
for i = 3, 2 + ARGV[2] do gone[ARGV[i]] = true end
for i = 3 + ARGV[2], #ARGV, 8 do
  local key, definition, calendar = ARGV[i], ARGV[i + 2], ARGV[i + 3]
  local stored = redis.call('HMGET', key, 'definition', 'calendar')
  local score, far = redis.call('ZSCORE', KEYS[1], key), tonumber(ARGV[i + 7]) + TOLERATED
  if stored[1] ~= definition or stored[2] ~= calendar or not score or tonumber(score) > far then
    local fired, due = tonumber(redis.call('ZSCORE', KEYS[3], ARGV[i + 1]) or 0), ARGV[i + 6]
    if fired >= tonumber(ARGV[i + 5]) and fired <= far then due = ARGV[i + 7] end
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
    """What `replace` writes of an automation: due at `due` if `latest` was not fired, else `then`.

    Its name is `user-account-automation`; `period` is in seconds, `calendar` as in its config.
    """

    user_id: int
    account_id: UUID
    automation_id: UUID
    period: int
    calendar: dict[str, Any] | None
    latest: float
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
class Replacement:
    """The entries a user should have, as of a revision. The names in `strays` go as well."""

    user_id: int
    revision: int
    entries: Sequence[Entry]
    strays: Sequence[str] = ()


def replace(replacements: Iterable[Replacement]) -> list[int]:
    """Replace the entries of many users, each in one step, in one round trip.

    Returns of each how many entries came, changed or went, or, negative, the newer revision that
    is there already.
    """
    script = client().register_script(REPLACE)
    with client().pipeline(transaction=False) as pipeline:
        for one in replacements:
            keys = [config().schedule_key, f"{config().key_prefix}:user:{one.user_id}"]
            script(keys=[*keys, fired_key()], args=_arguments(one), client=pipeline)
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
            meta_of(entry.due - entry.period),
            entry.latest,
            entry.due,
            entry.then,
        ]
    return arguments


def forget_fired(ticks: Mapping[str, str]) -> None:
    """These were fired and not looked at, automations and slots: they are due once more."""
    arguments = [each for id_, slot in ticks.items() for each in (id_, second_of(slot))]
    client().register_script(FORGET)(keys=[fired_key()], args=arguments)


def names() -> set[str]:
    """The names of all entries of automations."""
    conf = config()
    pattern = f"{conf.key_prefix}*-{UUID_PATTERN}-{UUID_PATTERN}"
    found = client().zscan_iter(conf.schedule_key, match=pattern, count=1000)
    return {key.removeprefix(conf.key_prefix) for key, _ in found}


def count() -> int:
    """How many entries of automations there are."""
    return len(names())


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
    return bool(client().exists(epoch_key()))


def note_whole() -> None:
    """The schedule was written completely; forget what was fired long ago."""
    now = datetime.now(UTC)
    client().zremrangebyscore(fired_key(), "-inf", (now - REMEMBER_FIRED).timestamp())
    client().set(epoch_key(), now.isoformat())
