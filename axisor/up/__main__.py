"""`python -m axisor.up`: bring the platform up, keep it up, and take it down when told to."""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from axisor import bootstrap, env
from axisor.up import parts, ports, site
from axisor.up.errors import CannotStart
from axisor.up.output import Output
from axisor.up.site import Site
from axisor.up.supervisor import Supervisor
from axisor.up.welcome import welcome

MET_BADLY, WRONG_SETTING = 1, 2


def main() -> int:
    """Run until stopped; return the exit code. What a person can mend is said in a sentence."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _run(os.environ)
    except env.InvalidEnvironment as reason:
        return _refuse(str(reason), WRONG_SETTING)
    except CannotStart as reason:
        return _refuse(str(reason), MET_BADLY)
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        way = error.filename2 or error.filename
        return _refuse(f"{way} is in the way: move it away, then start again.", MET_BADLY)
    except OSError as error:
        return _refuse(f"The machine refused: {error}.", MET_BADLY)
    except KeyboardInterrupt:
        return _refuse("Interrupted before anything had started.", MET_BADLY)
    return 0


def _run(variables: Mapping[str, str]) -> None:
    env.refuse_unknown(variables)
    chosen = ports.read(variables)
    folder = site.folder_of(variables)
    with _environment_held(), folder.held(chosen.web_url):
        folder.empty_metrics()
        planned = site.plan(variables, folder, chosen)
        planned.prepare()
        asyncio.run(_serve(planned))


@contextlib.contextmanager
def _environment_held() -> Iterator[None]:
    """Keep `axisor.bootstrap` from making the environment anew while this runs from it."""
    try:
        stamp = (Path(sys.prefix) / bootstrap.STAMP.name).open("rb")
    except FileNotFoundError:  # an environment that the bootstrap did not make
        yield
        return
    with stamp:
        try:
            fcntl.flock(stamp, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(".venv is being made anew: run this again afterwards.") from None
        yield


async def _serve(planned: Site) -> None:
    planned.folder.hand_over(site.OPERATOR, planned.secrets.operator_password)
    rows = parts.table(planned)
    output = Output(planned.folder.logs, [part.name for part in rows])
    supervisor = Supervisor(rows, output)
    try:
        await supervisor.run(lambda: welcome(planned, supervisor, output), planned.folder.withdraw)
        output.say("stopped")
    finally:
        output.close()


def _refuse(reason: str, code: int) -> int:
    print(f"axisor: {reason}", file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
