"""Liveness and readiness: a process that runs, and one that can do its work."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse


def alive(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all; asks nothing of others."""
    return JsonResponse({"status": "alive"})


def ready(request: HttpRequest) -> JsonResponse:
    """200 when PostgreSQL and Redis answer, else 503; `checks` names each with ok or failed."""
    checks = {name: _passes(check) for name, check in CHECKS.items()}
    is_ready = all(checks.values())
    body = {
        "status": "ready" if is_ready else "not ready",
        "checks": {name: "ok" if passed else "failed" for name, passed in checks.items()},
    }
    return JsonResponse(body, status=200 if is_ready else 503)


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_redis() -> None:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
        client.ping()


def _passes(check: Callable[[], None]) -> bool:
    try:
        check()
    except (DatabaseError, redis.RedisError):
        return False
    return True


CHECKS: dict[str, Callable[[], None]] = {"database": _ask_database, "redis": _ask_redis}
