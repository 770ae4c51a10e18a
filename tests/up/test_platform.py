"""The real platform: it comes up, mends itself, goes away, and finds its data again."""

import fcntl
import json
import os
import signal
import stat
import sys
from pathlib import Path

import pytest
import requests

from axisor.bootstrap import STAMP
from tests.running import PROGRAMS, Platform, await_that, command_line

pytestmark = pytest.mark.xdist_group("up")

BACK_SECONDS = 60
STORES = ("postgres", "valkey")
OTHERS = tuple(name for name in PROGRAMS if name not in STORES)


def test_every_part_runs_when_it_says_ready(running_axisor: Platform):
    assert set(running_axisor.pids()) == set(PROGRAMS)


def test_nobody_may_make_its_environment_anew(running_axisor: Platform):
    stamp = Path(sys.prefix) / STAMP.name
    with stamp.open("rb") as held, pytest.raises(BlockingIOError):
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_run_json_is_complete_and_private(running_axisor: Platform):
    file = running_axisor.folder / "run.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(running_axisor.run) == {"web", "paper", "flower", "token", "username", "password"}


@pytest.mark.parametrize(
    ("part", "path", "expected"),
    [
        ("web", "/readyz", 200),
        ("web", "/admin/login/", 200),
        ("web", "/static/admin/css/base.css", 200),
        ("web", "/api/accounts/", 401),
        ("paper", "/ping", 200),
        ("flower", "/", 401),
    ],
)
def test_addresses_answer(running_axisor: Platform, part: str, path: str, expected: int):
    assert requests.get(running_axisor.run[part] + path, timeout=10).status_code == expected


def test_token_opens_the_api(running_axisor: Platform):
    assert names_of_accounts(running_axisor) == {"Paper", "Paper, second"}


def test_operators_login_opens_the_admin(running_axisor: Platform):
    run = running_axisor.run
    with requests.Session() as session:
        page = f"{run['web']}/admin/login/"
        session.get(page, timeout=10)
        login = {"username": run["username"], "password": run["password"]}
        form = {**login, "csrfmiddlewaretoken": session.cookies["csrftoken"], "next": "/admin/"}
        answer = session.post(page, data=form, allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


def test_no_secret_is_in_a_command_line_or_a_log(running_axisor: Platform):
    secrets = json.loads((running_axisor.folder / "secrets.json").read_text()).values()
    lines = [command_line(pid) for pid in running_axisor.family()]
    logs = [file.read_text() for file in (running_axisor.folder / "logs").iterdir()]
    assert len(lines) > len(PROGRAMS)
    assert [s for s in secrets for text in [*lines, *logs] if s in text] == []


def test_private_files_are_private(running_axisor: Platform):
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) & 0o077
        for path in [running_axisor.folder, *running_axisor.folder.glob("*.json")]
    }
    assert set(modes.values()) == {0}


@pytest.mark.parametrize("killed", [OTHERS, ("postgres",), ("valkey",)], ids=lambda p: p[0])
def test_killed_parts_come_back(running_axisor: Platform, killed: tuple[str, ...]):
    """Beat may follow Valkey, whose lock it lost, and comes back too."""
    before = running_axisor.pids()
    seen = len(running_axisor.terminal())
    for name in killed:
        os.kill(before[name], signal.SIGKILL)

    def are_back() -> bool:
        said = running_axisor.terminal()[seen:]
        return all(f"{name} answers again" in said for name in killed)

    await_that(are_back, BACK_SECONDS)
    await_that(lambda: set(running_axisor.pids()) == set(PROGRAMS), BACK_SECONDS)
    after = running_axisor.pids()
    assert [name for name in killed if after[name] == before[name]] == []
    assert names_of_accounts(running_axisor) == {"Paper", "Paper, second"}


def test_nothing_outlives_a_killed_supervisor_and_the_next_finds_everything(
    running_axisor: Platform,
):
    before, family = running_axisor.run, running_axisor.family()
    running_axisor.stop(signal.SIGKILL)
    await_that(lambda: not any(command_line(pid) for pid in family), BACK_SECONDS)
    running_axisor.start()
    assert running_axisor.run == before
    assert names_of_accounts(running_axisor) == {"Paper", "Paper, second"}


def test_a_stop_leaves_nothing_behind(running_axisor: Platform):
    family = running_axisor.family()
    assert running_axisor.stop() == 0
    assert [command_line(pid) for pid in family if command_line(pid)] == []
    assert not (running_axisor.folder / "run.json").exists()
    assert (running_axisor.folder / "secrets.json").exists()


def names_of_accounts(platform: Platform) -> set[str]:
    answer = requests.get(
        platform.run["web"] + "/api/accounts/",
        headers={"Authorization": f"Token {platform.run['token']}"},
        timeout=10,
    )
    body = answer.json()
    return {account["name"] for account in body.get("results", body)}
