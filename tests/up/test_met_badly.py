"""What a person can do wrong before anything runs: one sentence, an exit code, nothing half done.

Each case prepares a data folder and returns the variables to start with.
"""

import fcntl
import json
import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from axisor.up import data
from axisor.up.data import DataFolder
from axisor.up.errors import CannotStart
from axisor.up.secrets import Secrets
from tests.running import PORTS, UP, environment
from tests.servers import free_port

MENDABLE, WRONG_SETTING = 1, 2
OTHER_USER = 65534


class Scene:
    """A data folder, its ports, and whatever must stay open while the platform is started."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.port = free_port(PORTS)
        self._stack = stack

    def listen(self, port: int) -> None:
        self._stack.enter_context(socket.create_server(("127.0.0.1", port)))

    def make_folder(self) -> DataFolder:
        self.folder.mkdir(mode=0o700)
        return DataFolder(self.folder)

    def lock(self) -> None:
        file = self._stack.enter_context((self.make_folder().path / "lock").open("w"))
        file.write(json.dumps({"pid": 4711, "web": "http://127.0.0.1:9999"}))
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path / "data", stack)


def start(
    scene: Scene, before: Sequence[str] = (), **variables: object
) -> "subprocess.CompletedProcess[str]":
    given = {"AXISOR_PORT": scene.port, "AXISOR_DATA": scene.folder, **variables}
    return subprocess.run(
        [*before, *UP],
        env=environment(**given),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refused(done: "subprocess.CompletedProcess[str]", code: int, *words: str) -> bool:
    assert "Traceback" not in done.stdout + done.stderr
    assert re.fullmatch(r"axisor: [A-Z_a-z/].*[.`]\n", done.stderr), done.stderr
    assert [word for word in words if word not in done.stderr] == [], done.stderr
    return done.returncode == code


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"AXISOR_PROT": "9000"}, ("AXISOR_PROT", "AXISOR_PORT")),
        ({"AXISOR_PORT": "eighty"}, ("AXISOR_PORT", "1024 to 65531")),
        ({"AXISOR_PORT": "80"}, ("AXISOR_PORT", "1024 to 65531")),
        ({"AXISOR_PORT": "65532"}, ("AXISOR_PORT", "1024 to 65531")),
        ({"AXISOR_PAPER_URL": "http://127.0.0.1:1/v3"}, ("AXISOR_PAPER_URL", "unset")),
        ({"AXISOR_VAULT_KEYS": "one:c2hvcnQ="}, ("AXISOR_VAULT_KEYS", "32")),
        ({"AXISOR_ALLOWED_HOSTS": "*"}, ("AXISOR_ALLOWED_HOSTS",)),
        ({"DATABASE_URL": "mysql://u:hidden@h/d"}, ("DATABASE_URL", "postgres://")),
    ],
    ids=lambda case: next(iter(case.items()), "") if isinstance(case, dict) else "",
)
def test_wrong_settings(scene: Scene, variables: dict[str, str], words: tuple[str, ...]):
    done = start(scene, **variables)
    assert refused(done, WRONG_SETTING, *words)
    assert "hidden" not in done.stderr


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("DATABASE_URL", "postgres://axisor:hidden@127.0.0.1:1/axisor"),
        ("DATABASE_URL", "postgres://axisor:hidden@127.0.0.1:1/axisor?colour=hidden"),
        ("REDIS_URL", "redis://:hidden@127.0.0.1:1/0"),
    ],
)
def test_servers_named_by_the_environment_that_do_not_answer(scene: Scene, variable: str, url: str):
    done = start(scene, **{variable: url})
    assert refused(done, MENDABLE, variable, "does not answer", "embedded")
    assert ".." not in done.stderr
    assert "hidden" not in done.stderr


@pytest.mark.parametrize(("offset", "name"), [(0, "web"), (4, "valkey")])
def test_taken_ports(scene: Scene, offset: int, name: str):
    port = scene.port + offset
    scene.listen(port)
    assert refused(start(scene), MENDABLE, f"Port {port}", name, "AXISOR_PORT")
    assert not (scene.folder / "postgres").exists()


def test_the_ports_proposed_are_free(scene: Scene):
    """The first proposal is taken, and another one is made."""
    scene.listen(scene.port)

    def proposed() -> int:
        words = re.search(r"AXISOR_PORT=(\d+)", start(scene).stderr)
        assert words
        return int(words[1])

    first = proposed()
    scene.listen(first + 4)
    assert proposed() not in (first, scene.port)


def a_file(scene: Scene) -> None:
    scene.folder.write_text("")


def below_a_file(scene: Scene) -> None:
    a_file(scene)
    scene.folder /= "data"


def of_another_user(scene: Scene) -> None:
    if os.geteuid() == 0:
        os.chown(scene.make_folder().path, OTHER_USER, OTHER_USER)
    else:
        scene.folder = Path("/usr")


def held_by_another_run(scene: Scene) -> None:
    scene.lock()


def with_broken_secrets(scene: Scene) -> None:
    (scene.make_folder().path / "secrets.json").write_text("{")


def with_incomplete_secrets(scene: Scene) -> None:
    (scene.make_folder().path / "secrets.json").write_text('{"django_key": "x"}')


def with_data_but_no_secrets(scene: Scene) -> None:
    (scene.make_folder().path / "postgres").mkdir()


def with_another_postgres_folder(scene: Scene) -> None:
    scene.make_folder().keep(Secrets())
    (scene.folder / "postgres").mkdir()
    (scene.folder / "postgres" / "holiday.jpg").write_text("")


def with_a_damaged_postgres_folder(scene: Scene) -> None:
    with_another_postgres_folder(scene)
    (scene.folder / "postgres" / "PG_VERSION").write_text("\x00")


def with_a_folder_as_run_file(scene: Scene) -> None:
    (scene.make_folder().path / "run.json").mkdir()


def with_a_file_as_valkey_folder(scene: Scene) -> None:
    (scene.make_folder().path / "valkey").write_text("")


def with_a_file_as_logs(scene: Scene) -> None:
    (scene.make_folder().path / "logs").write_text("")


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (a_file, ("not a folder", "AXISOR_DATA")),
        (below_a_file, ("cannot be made", "AXISOR_DATA")),
        (of_another_user, ("another user", "AXISOR_DATA")),
        (held_by_another_run, ("already running", "4711", "http://127.0.0.1:9999", "Ctrl-C")),
        (with_broken_secrets, ("secrets.json", "cannot be read", "move the folder away")),
        (with_incomplete_secrets, ("secrets.json", "cannot be read", "move the folder away")),
        (with_data_but_no_secrets, ("secrets.json", "missing", "Put it back")),
        (with_another_postgres_folder, ("not a PostgreSQL data folder", "Move it away")),
        (with_a_damaged_postgres_folder, ("postgres is of PostgreSQL", "from a backup")),
        (with_a_folder_as_run_file, ("run.json is in the way: move it away",)),
        (with_a_file_as_valkey_folder, ("valkey is in the way: move it away",)),
        (with_a_file_as_logs, ("logs is in the way: move it away",)),
    ],
    ids=lambda case: case.__name__ if callable(case) else "",
)
def test_unusable_data_folders(
    scene: Scene, prepare: Callable[[Scene], None], words: tuple[str, ...]
):
    prepare(scene)
    assert refused(start(scene), MENDABLE, str(scene.folder), *words)


def a_damaged_ledger(folder: Path) -> None:
    (folder / "paper").mkdir()
    (folder / "paper" / "ledger.jsonl").write_text("not a ledger\n{}\n")


def a_damaged_append_only_file(folder: Path) -> None:
    (folder / "valkey" / "appendonlydir").mkdir(parents=True)
    (folder / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")


@pytest.mark.parametrize(
    ("damage", "part", "said", "remedy"),
    [
        (a_damaged_ledger, "paper", "line 1: damaged", "move away what it cannot read"),
        (a_damaged_append_only_file, "valkey", "AOF manifest", "valkey: it is written anew"),
    ],
    ids=lambda case: case.__name__ if callable(case) else "",
)
def test_a_part_that_cannot_start_stops_the_rest(
    scene: Scene, damage: Callable[[Path], None], part: str, said: str, remedy: str
):
    """It is tried more than once, but what it says is shown once, before what to do about it."""
    damage(scene.make_folder().path)
    done = start(scene)
    assert done.returncode == MENDABLE
    assert "Traceback" not in done.stderr
    assert f"{part} ended with exit code 1, so the platform cannot run" in done.stderr
    assert (done.stdout + done.stderr).count(said) == 1, done.stdout + done.stderr
    assert remedy in done.stderr.splitlines()[-1]
    assert not (scene.folder / "run.json").exists()
    assert not (scene.folder / "postgres" / "postmaster.pid").exists()


def test_a_disk_that_fills_while_the_cluster_is_made(scene: Scene):
    """Stands for it: no file may grow beyond a megabyte, which initdb's do."""
    done = start(scene, before=["prlimit", "--fsize=1000000"])
    assert refused(done, MENDABLE, "initdb failed", "could not")
    left = {path.name for path in scene.folder.iterdir()}
    assert left == {"lock", "metrics", "secrets.json"}


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(data, "NEEDED_MEGABYTES", 10**9)
    folder = DataFolder(tmp_path / "data")
    with pytest.raises(CannotStart, match=r"has \d+ MB left.*free some space"), folder.held("web"):
        pass


def test_a_run_file_of_a_killed_run_is_removed(tmp_path: Path):
    folder = DataFolder(tmp_path)
    folder.publish({"web": "http://127.0.0.1:1"})
    with folder.held("web"):
        assert not folder.run_file.exists()
