"""Celery, and the one table that says which task runs where.

    task                              queue       worker
    automations.execute (protective)  critical    worker-critical
    automations.execute (others)      execute     worker-execute
    automations.refresh               refresh     worker-refresh
    automations.evaluate              evaluate    worker-evaluate

A worker empties its queues in the order listed, so what stands first goes first. That does not
help where every child waits for a slow exchange: what protects has a worker of its own, which
nothing else can fill. Reading a slow exchange anew must neither hold up what acts nor wait for it,
hence another. Messages carry ids, slots and causes, and nothing else; results live in
PostgreSQL.
"""

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from celery import Celery, Task
from celery.signals import task_prerun
from django.conf import settings
from django.db import close_old_connections
from kombu import Queue
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "axisor.settings")

TASK_QUEUES = {
    "automations.execute": "execute",
    "automations.refresh": "refresh",
    "automations.evaluate": "evaluate",
}


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """One worker process: its queues, first come first served, and its prefork children.

    `prefetch` is how many messages each child may hold beyond the one it works on.
    """

    queues: tuple[str, ...]
    concurrency: int
    prefetch: int


WORKERS = {
    "worker-critical": WorkerSpec(("critical",), concurrency=2, prefetch=1),
    "worker-execute": WorkerSpec(("execute",), concurrency=4, prefetch=1),
    "worker-refresh": WorkerSpec(("refresh",), concurrency=2, prefetch=1),
    "worker-evaluate": WorkerSpec(("evaluate",), concurrency=2, prefetch=16),
}

VISIBILITY_TIMEOUT = 120
"""Seconds after which the broker hands an unacknowledged message to another worker. Longer than
any task's hard time limit, so that it never happens to a task that still runs."""


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _login(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    login = {"username": parts.username, "password": parts.password}
    return {name: unquote(value) for name, value in login.items() if value}


# Under its usual name, so that Flower and others still take the broker for what it is.
TRANSPORT_ALIASES.update(redis="axisor.broker:Transport", rediss="axisor.broker:Transport")

app = Celery("axisor")
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": VISIBILITY_TIMEOUT,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "health_check_interval": 10,
        "socket_keepalive": True,
        "socket_timeout": 15,
        "socket_connect_timeout": 3,
        "queue_order_strategy": "priority",
    },
    result_backend=None,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_queues=[Queue(name) for worker in WORKERS.values() for name in worker.queues],
    task_routes={name: {"queue": queue} for name, queue in TASK_QUEUES.items()},
    task_default_queue="evaluate",
    task_retry_on_worker_lost=True,
    task_time_limit=70,
    task_soft_time_limit=60,
    task_publish_retry_policy={"max_retries": 3, "interval_start": 0, "interval_step": 0.2},
    worker_send_task_events=True,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    beat_scheduler="axisor.beat.Scheduler",
    beat_max_loop_interval=1,
    # Flower shows the configuration: Celery masks what is called a password, not one in a URL.
    redbeat_redis_url=_without_login(settings.REDIS_URL),
    redbeat_redis_options={
        **_login(settings.REDIS_URL),
        "health_check_interval": 10,
        "socket_keepalive": True,
        "socket_timeout": 15,
        "socket_connect_timeout": 3,
    },
    redbeat_key_prefix="redbeat:",
    timezone="UTC",
)
# Celery would close every database connection around every task; closing only what is too old
# or broken, before a task, keeps them and still survives a restart of PostgreSQL.
app.conf.CELERY_DB_REUSE_MAX = 10**9
app.autodiscover_tasks(["automations"])


@task_prerun.connect
def drop_broken_connections(task: Task[Any, Any], **kwargs: Any) -> None:
    """Close the database connections that are past their age or no longer answer."""
    if not task.request.is_eager:
        close_old_connections()
