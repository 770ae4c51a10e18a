"""A pytest plugin: the PostgreSQL and Valkey that every test runs against, real and of its own.

They start before the Django settings are read, which is why this is a plugin (`-p tests.servers`)
and not a fixture. One pair serves a whole run; xdist's processes inherit the addresses, take a
Valkey database of their own each, and pytest-django gives each a database of its own.
"""

import contextlib
import os
import random
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from axisor.up.launch import TIED
from axisor.up.postgres import Postgres
from axisor.up.valkey import Valkey

FAST_AND_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}
START_SECONDS = 20
STOP_SECONDS = 10


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Start the servers before pytest-django reads the settings; stop them with the session."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        number = int(worker.removeprefix("gw")) + 1
        os.environ["REDIS_URL"] = os.environ["REDIS_URL"].removesuffix("/0") + f"/{number}"
    else:
        stack = contextlib.ExitStack()
        early_config.add_cleanup(stack.close)
        _start(stack)
    return (yield)


def free_port(count: int = 1) -> int:
    """Return the first of `count` consecutive free ports, where no client is ever given one."""
    while True:
        first = random.randrange(10_000, 30_000 - count)
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in range(first, first + count):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return first


def _start(stack: contextlib.ExitStack) -> None:
    folder = Path(tempfile.mkdtemp(prefix="axisor-tests-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    password = secrets.token_urlsafe(12)
    postgres = Postgres(
        folder / "postgres", free_port(), password, options=FAST_AND_FORGETFUL, durable=False
    )
    valkey = Valkey(folder / "valkey", free_port(), password)
    servers = (postgres, valkey)
    for server in servers:
        server.prepare()
        _serve(stack, server)
    for server in servers:
        _wait(server)
    os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = postgres.url, valkey.url


def _serve(stack: contextlib.ExitStack, server: Postgres | Valkey) -> None:
    log = stack.enter_context(server.folder.with_suffix(".log").open("wb"))
    process = subprocess.Popen(
        [*TIED, *server.command()],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    stack.callback(_stop, process, server.stop_signal)


def _stop(process: "subprocess.Popen[bytes]", stop_signal: int) -> None:
    process.send_signal(stop_signal)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(server: Postgres | Valkey) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.answers():
        if time.monotonic() > deadline:
            said = server.folder.with_suffix(".log").read_text()
            raise pytest.UsageError(f"{type(server).__name__} does not answer:\n{said}")
        time.sleep(0.02)
