"""`python -m axisor.up.manage`: commands for the running platform, without knowing its secrets."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from axisor.up.data import DataFolder
from tests.running import Platform, environment

pytestmark = pytest.mark.xdist_group("up")

ROWS = [{"id": "7", "type": "auto_entry", "config": {"side": "b", "quantity": 100}}]


def manage(*arguments: str, **variables: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "axisor.up.manage", *arguments],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_command_reaches_the_platform_by_its_folder_alone(
    running_axisor: Platform, tmp_path: Path
):
    export = tmp_path / "export.json"
    export.write_text(json.dumps(ROWS))
    arguments = ("import_automations", str(export), "--user", "operator", "--dry-run")
    done = manage(*arguments, AXISOR_DATA=running_axisor.folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "7 (auto_entry): migrated" in done.stdout


def test_the_metrics_of_the_platform_stay(running_axisor: Platform):
    kept = running_axisor.folder / "metrics" / "counter_0.db"
    kept.write_bytes(b"")
    manage("check", AXISOR_DATA=running_axisor.folder)
    assert kept.exists()
    kept.unlink()


def test_the_secrets_are_not_said(running_axisor: Platform):
    done = manage("nothing", AXISOR_DATA=running_axisor.folder)
    assert done.returncode == 1
    secrets = json.loads((running_axisor.folder / "secrets.json").read_text()).values()
    assert [secret for secret in secrets if secret in done.stdout + done.stderr] == []


def nothing_there(folder: DataFolder) -> None:
    """There was never a platform."""


def stopped(folder: DataFolder) -> None:
    with folder.held("http://127.0.0.1:9"):
        folder.secrets()


def killed(folder: DataFolder) -> None:
    stopped(folder)
    folder.publish({"web": "http://127.0.0.1:9"})


@pytest.mark.parametrize("before", [nothing_there, stopped, killed])
def test_without_a_running_platform(tmp_path: Path, before):
    folder = DataFolder(tmp_path / "data")
    before(folder)
    held = sorted(tmp_path.rglob("*"))
    done = manage("check", AXISOR_DATA=folder.path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"axisor: No platform runs on {folder.path}: start it with")
    assert sorted(tmp_path.rglob("*")) == held


def test_a_misspelt_setting(tmp_path: Path):
    done = manage("check", AXISOR_DATE=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("axisor: AXISOR_DATE is not a setting")
