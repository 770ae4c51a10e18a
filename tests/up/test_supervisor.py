"""The supervisor's rules: how long to wait, and what the terminal is spared."""

from pathlib import Path

import pytest

from axisor.up import parts
from axisor.up.output import Output, is_notable
from axisor.up.supervisor import delay_after


@pytest.mark.parametrize(
    ("previous", "lived", "expected"),
    [
        (0, 0.1, 0.5),
        (0.5, 0.1, 1),
        (16, 59.9, 30),
        (30, 1, 30),
        (30, 60, 0.5),
    ],
    ids=["first", "doubles", "capped", "stays capped", "starts over after a minute"],
)
def test_delay_before_a_restart(previous: float, lived: float, expected: float):
    assert delay_after(previous, lived) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026-11-20 11:48:01,948 INFO celery.app.trace Task succeeded", False),
        ("2026-11-20 11:48:01,948 INFO automations.execution added 20000 sats", True),
        ("2026-11-20 11:48:01,948 WARNING celery.worker late", True),
        ("2026-11-20 11:48:01,948 INFO celery.app.trace said ERROR", False),
        ("[2026-11-20 11:48:03 +0000] [11] [INFO] Booting worker", False),
        ("[2026-11-20 11:48:03 +0000] [11] [ERROR] Worker failed to boot.", True),
        ("2026-11-20 11:28:04.605 UTC [4667] LOG:  listening", False),
        ("2026-11-20 11:28:04.605 UTC [4667] PANIC:  could not write", True),
        ("2026-11-20 11:28:04.605 UTC [4667] FATAL:  the database system is starting up", False),
        ("119:M 20 Nov 2026 11:47:59.219 * Ready to accept connections", False),
        ("119:M 20 Nov 2026 11:47:59.219 # Error writing to the AOF", True),
        ("2026-11-20 11:48:01,948 WARNING py.warnings x.py:1: UserWarning: odd", True),
        ("2026-11-20 11:48:01,948 WARNING py.warnings x.py:1: CPendingDeprecationWarning:", False),
        ("Traceback (most recent call last):", True),
    ],
)
def test_lines_for_the_terminal(line: str, expected: bool):
    assert is_notable(line, before=False) is expected


def test_what_a_part_says_before_it_answers_is_shown_when_it_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """A try that fails is forgotten: its end says all."""
    output = Output(tmp_path / "logs", ["web"])
    for warning in ("WARNING in vain", "WARNING all the same"):
        output.hold_back("web")
        output.heard("web", warning)
    assert capsys.readouterr().out == ""
    output.release("web")
    output.heard("web", "WARNING later")
    output.close()
    assert capsys.readouterr().out.splitlines() == [
        "web    | WARNING all the same",
        "web    | WARNING later",
    ]
    assert "in vain" not in output.last_words("web")
    assert "in vain" in (tmp_path / "logs" / "web.log").read_text()


@pytest.mark.parametrize("before", [True, False])
def test_a_line_without_a_level_goes_where_the_one_before_went(before: bool):
    assert is_notable('  File "x.py", line 3, in f', before=before) is before


def test_the_table_starts_every_worker_of_celery():
    from axisor.celery import WORKERS  # needs the settings

    assert set(parts.WORKERS) == set(WORKERS)
