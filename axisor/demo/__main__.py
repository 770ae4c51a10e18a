"""`python -m axisor.demo`: show on the running platform how a position is saved."""

import json
import os
import signal
import sys
from pathlib import Path

import requests

from axisor.demo.errors import CannotShow
from axisor.demo.screen import Screen
from axisor.demo.story import tell
from axisor.up.site import ROOT

NOT_SHOWN, INTERRUPTED = 1, 130
NO_PLATFORM = (
    "No platform is running: start it with `make run` in another terminal, and wait until it says"
    " that Axisor is up."
)


def main() -> int:
    """Tell the story; return the exit code: 0 when the position was saved."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    screen = Screen()
    try:
        tell(_run(), screen)
    except CannotShow as reason:
        return _give_up(screen, str(reason), NOT_SHOWN)
    except requests.ConnectionError:
        return _give_up(screen, NO_PLATFORM, NOT_SHOWN)
    except requests.RequestException as error:
        return _give_up(screen, f"The platform does not answer as it should: {error}", NOT_SHOWN)
    except KeyboardInterrupt:
        return _give_up(screen, "Interrupted; price and account are as they were.", INTERRUPTED)
    return 0


def _run() -> dict[str, str]:
    """What `run.json` says; it may be left over from a platform that was killed."""
    folder = Path(os.environ.get("AXISOR_DATA") or ROOT / ".axisor")
    try:
        run: dict[str, str] = json.loads((folder / "run.json").read_text())
    except FileNotFoundError:
        raise CannotShow(NO_PLATFORM) from None
    return run


def _give_up(screen: Screen, reason: str, code: int) -> int:
    screen.say(f"\naxisor: {reason}", style="bold red")
    return code


if __name__ == "__main__":
    sys.exit(main())
