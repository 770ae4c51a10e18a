"""`manage.py paper` as a process: it survives kill -9, stops when told, and says what is wrong."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command

from exchanges.paper.control_client import ControlClient
from exchanges.paper.ledger import Ledger
from exchanges.paper.server import HOST, bind
from tests.exchanges.paper.test_control import until
from tests.exchanges.paper.trader import ISOLATED, Trader

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 30
BEFORE_THE_KILL = 20


def free_port():
    with closing(bind(0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def process(ledger, port, *options):
    """`manage.py paper`, as soon as it is ready."""
    command = [sys.executable, "manage.py", "paper", "--port", str(port), "--ledger", str(ledger)]
    command += options
    running = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert f"http://{HOST}:{port}/v3" in running.stdout.readline()
        yield running
    finally:
        running.kill()
        running.communicate(timeout=PATIENCE_SECONDS)


def test_what_was_answered_survives_kill_9(tmp_path):
    ledger, port = tmp_path / "ledger.jsonl", free_port()
    control = ControlClient(f"http://{HOST}:{port}")
    answered = []
    with process(ledger, port) as running:
        account = control.create_account(balance=10_000_000)
        trader = Trader(f"http://{HOST}:{port}/v3", account.credentials)
        enough = threading.Event()

        def trade_until_it_dies():
            try:
                while True:
                    answered.append(trader.open(quantity=1)["id"])
                    if len(answered) == BEFORE_THE_KILL:
                        enough.set()
            except requests.ConnectionError:
                pass

        thread = threading.Thread(target=trade_until_it_dies)
        thread.start()
        assert enough.wait(PATIENCE_SECONDS)
        running.kill()
        thread.join(PATIENCE_SECONDS)
    with process(ledger, port, "--limits", "strict") as running:
        known = [trade["id"] for trade in trader.get(f"{ISOLATED}/trades/running").json()]
        assert known[::-1][: len(answered)] == answered
        assert len(known) - len(answered) <= 1, "the last may have been written, not answered"
        spent = [
            entry["trade"][name]
            for entry in control.ledger(after=2)
            for name in ("margin", "maintenanceMargin", "openingFee")
        ]
        assert control.account(account.id)["balance"] == 10_000_000 - sum(spent)
        assert "RateLimit" in trader.get("/account").headers
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=PATIENCE_SECONDS)
        assert (running.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(["--port", "0"], "1 to 65535, not 0", id="port zero"),
        pytest.param(["--port", "65536"], "1 to 65535, not 65536", id="port too high"),
        pytest.param(["--port", "web"], "1 to 65535, not web", id="port a word"),
        pytest.param(["--price", "0"], "a multiple of 0.5 up to 100000000, not 0", id="price zero"),
        pytest.param(["--price", "1.3"], "a multiple of 0.5", id="price off the tick"),
        pytest.param(["--price", "NaN"], "a multiple of 0.5", id="price not a number"),
        pytest.param(["--scenario", "moon"], "invalid choice: 'moon'", id="unknown scenario"),
        pytest.param(["--scenario", "bull", "--candles", __file__], "line 1, columns: ",
                     id="no candles"),
        pytest.param(["--candles", "/nowhere"], "/nowhere cannot be read: No such file", id="file"),
        pytest.param(["--seed", "-1"], "0 to 9223372036854775807, not -1", id="seed negative"),
        pytest.param(["--steps", "0"], "1 to 100000, not 0", id="no steps"),
        pytest.param(["--interval-ms", "1.5"], "0 to 3600000, not 1.5", id="half a millisecond"),
        pytest.param(["--limits", "few"], "invalid choice: 'few'", id="unknown limits"),
    ],
)  # fmt: skip
def test_bad_options(tmp_path, options, words):
    with pytest.raises(CommandError, match=words):
        call_command("paper", "--ledger", str(tmp_path / "ledger.jsonl"), *options)
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use(tmp_path):
    with closing(bind(0)) as listener:
        port = str(listener.getsockname()[1])
        with pytest.raises(CommandError, match=f"--port {port}: Address already in use"):
            call_command("paper", "--port", port, "--ledger", str(tmp_path / "ledger.jsonl"))
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_in_use(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with closing(Ledger(path)), pytest.raises(CommandError, match="in use by another"):
        call_command("paper", "--port", str(free_port()), "--ledger", str(path))


def test_prices_are_played_from_the_start(tmp_path):
    ledger, port = tmp_path / "ledger.jsonl", free_port()
    control = ControlClient(f"http://{HOST}:{port}")
    csv = tmp_path / "candles.csv"
    csv.write_text("2021-01-01T00:00:00Z,10,12,9,11\n")
    with process(ledger, port, "--scenario", "bull", "--steps", "2", "--interval-ms", "0"):
        until(lambda: control.progress()["done"] == 2)
    for _ in range(2):
        with process(ledger, port, "--candles", str(csv), "--interval-ms", "0"):
            until(lambda: control.progress()["done"] == 4)
            lines = control.ledger()
    assert [entry["price"] for entry in lines if entry["kind"] == "price"] == [
        *(100_000, 100_127, 100_396.5),
        *(10, 9, 12, 11) * 2,
    ]
    assert len([entry for entry in lines if entry["kind"] == "candles"]) == 1
