"""The table of processes: what each runs, needs, and how it is seen to answer.

To add a process, add a row to `table`. Addresses and secrets reach it by its environment, so that
`ps` shows none of them.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from signal import SIGTERM, Signals

from axisor.up.postgres import Postgres
from axisor.up.probes import answers_ok
from axisor.up.site import OPERATOR, Site
from axisor.up.valkey import Valkey

WORKERS = ("worker-critical", "worker-execute", "worker-refresh", "worker-evaluate")
"""Those of `axisor.celery`, which cannot be imported before its settings are known."""

FORWARDED_TLS = {"X-Forwarded-Proto": "https"}
"""Spares a probe the redirect to TLS of a site that others may reach."""

TASK_GRACE_SECONDS = 75
"""Longer than any task's hard time limit, so that a running task can finish."""


@dataclass(frozen=True, slots=True)
class Part:
    """One row.

    A part starts when everything it `needs` answers, and stops when nothing that needs it runs.
    It answers when a line of it contained `says` and `answers` returns True; one that `ends` is a
    job, and answers by ending well. `grace` is the time from `stop_signal` to SIGKILL, in seconds.
    `remedy` is what a person can do when it does not come up.
    """

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(repr=False)
    needs: tuple[str, ...] = ()
    says: str = ""
    answers: Callable[[], bool] = lambda: True
    ends: bool = False
    stop_signal: Signals = SIGTERM
    grace: float = 10
    remedy: str = "Mend that, or move away what it cannot read, and start again."


def table(site: Site) -> list[Part]:
    """Return every part of the site."""
    return [
        *(_server(name, server, site) for name, server in site.servers.items()),
        *_jobs(site),
        _paper(site),
        _web(site),
        *(_worker(name, site) for name in WORKERS),
        _beat(site),
        _sweep(site),
        _watch(site),
        _monitor(site),
        _flower(site),
    ]


def seed(site: Site, *arguments: str) -> Part:
    """Return the job that makes the operator and the demo's accounts; it may run again."""
    command = [*_MANAGE, "seed", "--credentials-file", str(site.folder.credentials_file)]
    needs = ("migrate", "paper")
    return Part("seed", [*command, *arguments], site.environment, needs, ends=True)


_MANAGE = [sys.executable, "manage.py"]
_CELERY = [sys.executable, "-m", "celery", "--quiet", "-A", "axisor"]


def _server(name: str, server: Postgres | Valkey, site: Site) -> Part:
    return Part(
        name,
        server.command(),
        {"PATH": site.environment.get("PATH", "")},
        answers=server.answers,
        stop_signal=server.stop_signal,
        grace=30,
        remedy=server.remedy,
    )


def _jobs(site: Site) -> list[Part]:
    migrate = [*_MANAGE, "migrate", "--verbosity=0"]
    known = ["--no-token"] if site.secrets.operator_token else []
    return [
        Part("migrate", migrate, site.environment, tuple(site.servers), ends=True),
        seed(site, *known),
    ]


def _paper(site: Site) -> Part:
    """With limits that the platform, which keeps to stricter ones, must never meet."""
    ledger = site.folder.path / "paper" / "ledger.jsonl"
    arguments = ["--port", str(site.ports.paper), "--ledger", str(ledger), "--limits", "burst"]
    return Part(
        "paper",
        [*_MANAGE, "paper", *arguments],
        site.environment,
        answers=answers_ok(site.ports.paper, "/v3/ping"),
    )


def _web(site: Site) -> Part:
    """Threads, since requests wait for the database and exchanges more than they compute."""
    options = "--preload --worker-class=gthread --workers=2 --threads=8 --no-control-socket"
    bind = f"--bind=127.0.0.1:{site.ports.web}"
    return Part(
        "web",
        [sys.executable, "-m", "gunicorn", *options.split(), bind, "axisor.wsgi"],
        site.environment,
        needs=("migrate",),
        answers=answers_ok(site.ports.web, "/readyz", FORWARDED_TLS),
    )


def _worker(name: str, site: Site) -> Part:
    return Part(
        name,
        [sys.executable, "-m", "axisor.worker", name],
        site.environment,
        needs=("migrate", "paper"),
        says=" ready.",
        grace=TASK_GRACE_SECONDS,
    )


def _beat(site: Site) -> Part:
    return Part(
        "beat",
        [*_CELERY, "beat", "--loglevel=INFO"],
        site.environment,
        needs=WORKERS,
        says="beat: Acquired lock",
    )


def _sweep(site: Site) -> Part:
    return Part(
        "sweep",
        [*_MANAGE, "sweep"],
        site.environment,
        needs=("migrate", "paper"),
        says="sweep: ready.",
        grace=TASK_GRACE_SECONDS,
    )


def _watch(site: Site) -> Part:
    return Part(
        "watch",
        [*_MANAGE, "watch"],
        site.environment,
        needs=("migrate", "paper"),
        says="watch: ready.",
    )


def _monitor(site: Site) -> Part:
    return Part(
        "monitor",
        [*_MANAGE, "monitor"],
        site.environment,
        needs=("migrate", "paper"),
        says="monitor: ready.",
        grace=30,
    )


def _flower(site: Site) -> Part:
    login = {"FLOWER_BASIC_AUTH": f"{OPERATOR}:{site.secrets.operator_password}"}
    return Part(
        "flower",
        [*_CELERY, "flower", "--address=127.0.0.1", f"--port={site.ports.flower}"],
        {**site.environment, **login},
        needs=tuple(site.servers),
        answers=answers_ok(site.ports.flower, "/healthcheck"),
    )
