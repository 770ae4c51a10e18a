"""The environment is made once, anew when it must be, and never half."""

import ast
import fcntl
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from axisor import bootstrap
from axisor.up.site import ROOT
from tests.running import await_that

SYSTEM_PYTHON = os.path.realpath(sys.executable)
VERSION = "{}.{}".format(*sys.version_info)
VERSION = "{}.{}".format(*sys.version_info)
UNREACHABLE = "http://127.0.0.1:1/simple"
ONE_PACKAGE = f"nothing-at-all==1.0 --hash=sha256:{'0' * 64}\n"


class Clone:
    """As little of the project as the script needs, with a lock of its own."""

    def __init__(self, folder: Path) -> None:
        (folder / "axisor").mkdir()
        self.script = Path(shutil.copy(ROOT / "axisor" / "bootstrap.py", folder / "axisor"))
        self.lock = folder / "requirements.lock"
        self.stamp = folder / ".venv" / "axisor-stamp"
        self.python = folder / ".venv" / "bin" / "python"
        self.lock.write_text("")

    def identity(self) -> str:
        """What the script itself would write into the stamp."""
        show = f"import bootstrap; print(bootstrap.identity({VERSION!r}), end='')"
        return subprocess.check_output(
            [SYSTEM_PYTHON, "-c", show], cwd=self.script.parent, text=True
        )

    def pretend(self, version: str) -> None:
        """Leave an environment that is complete for all the script can see."""
        self.python.parent.mkdir(parents=True)
        self.python.write_text(f"#!/bin/sh\necho {version}\n")
        self.python.chmod(0o755)
        self.stamp.write_text(self.identity())

    def prepare(self, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [SYSTEM_PYTHON, self.script],
            env={"PATH": os.environ["PATH"], **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_made_once_then_left_alone_then_made_anew(clone: Clone):
    first, second = clone.prepare(), clone.prepare()
    assert (first.returncode, second.returncode) == (0, 0)
    assert "Making .venv" in first.stdout
    assert second.stdout == ""
    assert subprocess.run([clone.python, "-c", "import pip"], check=False).returncode == 0
    assert not (clone.stamp.parent / "tmp").exists()


@pytest.mark.parametrize(
    ("change", "is_made_anew"),
    [
        (lambda clone: None, False),
        (lambda clone: clone.lock.write_text("# of another day"), True),
        (lambda clone: clone.stamp.unlink(), True),
        (lambda clone: clone.python.unlink(), True),
        (lambda clone: clone.python.write_text("#!/bin/sh\necho 2.7"), True),
    ],
    ids=["nothing", "the lock", "interrupted", "no interpreter", "another interpreter"],
)
def test_what_makes_it_anew(clone: Clone, change: Callable[[Clone], object], is_made_anew: bool):
    clone.pretend(VERSION)
    change(clone)
    assert ("Making .venv" in clone.prepare().stdout) is is_made_anew


def test_a_link_is_refused_and_what_it_leads_to_is_left_alone(clone: Clone, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    (tmp_path / ".venv").symlink_to(elsewhere)
    refused = clone.prepare()
    assert refused.returncode == 1
    assert "is a link: remove it" in refused.stdout
    assert (elsewhere / "precious").exists()


def test_a_complete_environment_is_kept_whatever_python_there_is_now(clone: Clone):
    clone.pretend(VERSION)
    clone.script.write_text(clone.script.read_text().replace("OLDEST = (3, 11)", "OLDEST = (9, 0)"))
    done = clone.prepare()
    assert (done.returncode, done.stdout) == (0, "")


def test_an_environment_that_a_platform_runs_from_is_not_touched(clone: Clone):
    clone.pretend(VERSION)
    clone.lock.write_text("# of another day")
    with clone.stamp.open("rb") as stamp:
        fcntl.flock(stamp, fcntl.LOCK_SH)
        done = clone.prepare()
    assert done.returncode == 1
    assert f"running from .venv (process {os.getpid()})" in done.stdout
    assert "stop it first" in done.stdout
    assert clone.stamp.exists()
    assert "Installed." in clone.prepare().stdout


@pytest.mark.parametrize(("stranger", "said"), [(4711, "another user"), (0, None)])
def test_an_environment_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stranger: int, said: str | None
):
    """Root is no stranger: containers run as root on a folder of whoever mounted it."""
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "axisor-stamp")
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    with pytest.raises(bootstrap.CannotPrepare, match=said) if said else nullcontext():
        bootstrap.refuse_to_disturb()


def test_an_interrupted_installation_leaves_nothing_outside(clone: Clone, tmp_path: Path):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    clone.lock.write_text(ONE_PACKAGE)
    with index_that_is_silent() as url:
        process = subprocess.Popen(
            [SYSTEM_PYTHON, clone.script],
            env={"PATH": os.environ["PATH"], "TMPDIR": str(outside), "PIP_INDEX_URL": url},
        )
        await_that(lambda: any((clone.stamp.parent / "tmp").glob("pip-*")), 60)
        process.terminate()
        assert process.wait(30)
    assert list(outside.iterdir()) == []
    clone.lock.write_text("")
    assert clone.prepare().returncode == 0
    assert not (clone.stamp.parent / "tmp").exists()


@contextmanager
def index_that_is_silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple"


def test_a_failed_installation_is_a_sentence_and_leaves_no_stamp(clone: Clone):
    clone.stamp.parent.mkdir()
    clone.stamp.write_text("of another lock")
    clone.lock.write_text(ONE_PACKAGE)
    offline = {"PIP_INDEX_URL": UNREACHABLE, "PIP_CONFIG_FILE": os.devnull}
    done = clone.prepare(**offline)
    assert done.returncode == 1
    assert "index cannot be reached" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not clone.stamp.exists()


def test_one_at_a_time(clone: Clone):
    """Whoever comes second waits, and finds the work done."""
    clone.pretend(VERSION)
    clone.stamp.unlink()
    with clone.lock.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.Popen([SYSTEM_PYTHON, clone.script], stdout=subprocess.PIPE, text=True)
        assert second.stdout
        assert "waiting for it" in second.stdout.readline()
        clone.stamp.write_text(clone.identity())
    assert second.communicate(timeout=60)[0] == ""
    assert second.returncode == 0


def without(*modules: str) -> str:
    """Python that a stock Debian would run: these modules cannot be imported."""
    return "import sys\n" + "".join(f"sys.modules[{name!r}] = None\n" for name in modules)


@pytest.mark.parametrize(
    ("missing", "code", "said"),
    [
        (("ensurepip",), 0, "Installed."),
        (("ensurepip", "pip"), 1, "sudo apt install python3-venv"),
        (("venv", "ensurepip"), 1, "sudo apt install python3-venv"),
    ],
    ids=lambda case: "+".join(case) if isinstance(case, tuple) else "",
)
def test_pythons_without_parts(
    clone: Clone, tmp_path: Path, missing: tuple[str, ...], code: int, said: str
):
    (tmp_path / "sitecustomize.py").write_text(without(*missing))
    done = clone.prepare(PYTHONPATH=str(tmp_path))
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert clone.stamp.exists() == (code == 0)


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({}, "needs Python 3.11 or later and found"),
        ({"python3.13": "exit 0"}, "chosen python3.13"),
        ({"python3.13": "exit 127", "python3.11": "exit 0"}, "chosen python3.11"),
        ({"python3.13": "exit 1"}, "needs Python 3.11 or later and found"),
    ],
    ids=["none", "newer", "newer only as a shim", "no newer after all"],
)
def test_a_python_that_is_too_old(clone: Clone, tmp_path: Path, others: dict[str, str], said: str):
    """`python3.x -c` tells whether it is new enough; the script is then handed to it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, verdict in others.items():
        text = f'#!/bin/sh\n[ "$1" = -c ] && {verdict}\necho chosen {name}\n'
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    clone.script.write_text(clone.script.read_text().replace("OLDEST = (3, 11)", "OLDEST = (9, 0)"))
    done = clone.prepare(PATH=str(programs))
    assert said in done.stdout
    assert done.returncode == (0 if "chosen" in said else 1)
    assert not clone.python.exists()


def test_old_pythons_can_read_the_script():
    ast.parse(Path(bootstrap.__file__).read_text(), feature_version=(3, 5))


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("ERROR: [Errno 28] No space left on device", "The disk is full"),
        ("WARNING: connection broken by 'NewConnectionError'\nERROR: x", "cannot be reached"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES from", "not the one that was locked"),
        ("ERROR: No matching distribution found for x==1", "not built for this machine"),
        ("no such option: --python", "sudo apt install python3-venv"),
        ("ERROR: one thing\nERROR: another\n", "The installation failed: ERROR: another"),
        ("", "The installation failed: no message"),
    ],
)
def test_what_pip_says_in_a_sentence(output: str, expected: str):
    assert expected in bootstrap.explain(output)
