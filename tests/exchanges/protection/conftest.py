"""Subjects that no other test has, so that what lies in Redis is this test's alone."""

from uuid import uuid4

import pytest
import redis
from django.conf import settings

from exchanges.protection import buckets, shared


@pytest.fixture
def name():
    """A name of its own for a bucket, a key or an exchange."""
    return f"test-{uuid4().hex}"


@pytest.fixture
def redis_is_away(monkeypatch):
    """Every command to Redis fails as it does when nothing listens."""
    nowhere = shared.impatient("redis://127.0.0.1:1/0")
    for module in ("shared", "buckets", "breakers"):
        monkeypatch.setattr(f"exchanges.protection.{module}.shared_redis", lambda: nowhere)
    buckets._script.cache_clear()
    yield
    buckets._script.cache_clear()


@pytest.fixture
def shared_server():
    """The Redis itself, to read its clock."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client
