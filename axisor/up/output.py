"""What the person at the terminal sees, and what only goes to the logs.

Every line of every part is written to `<part>.log`. The terminal shows those worth a look: what
our own loggers say and whatever warns or fails, not the routine of servers and libraries.
"""

import contextlib
import itertools
import logging
import logging.handlers
import os
import re
import sys
from collections import defaultdict, deque
from collections.abc import Iterable
from pathlib import Path

LEVEL = re.compile(
    r"\b(?P<routine>DEBUG|INFO(?! (axisor|automations|accounts|exchanges)\b)|LOG(?=: ))\b"
    r"|\b(INFO|WARNING|ERROR|CRITICAL|FATAL|PANIC|Traceback)\b"
    r"|^\d+:[A-Z] "
)
ROUTINE = re.compile(
    r"^\d+:[A-Z] .{24} [.*-] "  # Valkey, below its warnings
    r"|Valkey is now ready to exit"
    r"|Memory overcommit must be enabled"  # said at every start; only root could change it
    r"|FATAL:  the database system is (starting up|shutting down)"
    r"|flower.inspector Inspect method"  # no worker is up yet
    r"|: CPendingDeprecationWarning:"  # Celery's, whenever the broker was lost
)

COLOURS = (36, 32, 35, 34, 33, 96, 92, 95, 94)
LOG_BYTES = 5_000_000
LINES_REMEMBERED = 8


def is_notable(line: str, *, before: bool) -> bool:
    """Return whether a line is for the terminal; one without a level is as the line `before`."""
    level = LEVEL.search(line)
    if level is None:
        return before
    return not level["routine"] and not ROUTINE.search(line)


class Output:
    """The terminal and the log folder, for as many parts as there are."""

    def __init__(self, logs: Path, parts: Iterable[str]) -> None:
        logging.raiseExceptions = False  # a full disk must not stop what protects positions
        names = ["axisor", *parts]
        self._logs = logs
        self._width = max(map(len, names))
        self._colours = dict(zip(names, itertools.cycle(COLOURS), strict=False))
        self._is_colourful = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._files = {name: _log_file(logs / f"{name}.log") for name in names}
        self._is_notable = dict.fromkeys(names, False)
        self._held_back: dict[str, list[str]] = {}
        self._last: defaultdict[str, deque[str]] = defaultdict(
            lambda: deque(maxlen=LINES_REMEMBERED)
        )

    def say(self, text: str) -> None:
        """Tell the person something about the platform as a whole."""
        self._log("axisor", text)
        self._show("axisor", text)

    def tell(self, text: str) -> None:
        """Show the person what may be secret: it is kept out of the logs."""
        self._show("axisor", text)

    def heard(self, part: str, line: str) -> None:
        """Take a line that a part wrote."""
        self._log(part, line)
        if line.strip():
            self._last[part].append(line)
        self._is_notable[part] = is_notable(line, before=self._is_notable[part])
        if self._is_notable[part]:
            if part in self._held_back:
                self._held_back[part].append(line)
            else:
                self._show(part, line)

    def hold_back(self, part: str) -> None:
        """Forget what the part said and show nothing of it: it starts, and may do so in vain."""
        self._held_back[part] = []
        self._last[part].clear()

    def release(self, part: str) -> None:
        """Show what was held back of the part, and from now on everything as it comes."""
        for line in self._held_back.pop(part, []):
            self._show(part, line)

    def last_words(self, part: str) -> str:
        """Return what the part said last, indented, to show why it failed."""
        said = "".join(f"\n    {line}" for line in self._last[part]) or " nothing."
        return f"It said, at the end of {self._logs / part}.log:{said}"

    def close(self) -> None:
        """Close the logs."""
        for file in self._files.values():
            file.close()

    def _log(self, part: str, line: str) -> None:
        self._files[part].emit(logging.makeLogRecord({"msg": line}))

    def _show(self, part: str, line: str) -> None:
        prefix = f"{part:<{self._width}} |"
        if self._is_colourful:
            prefix = f"\033[{self._colours[part]}m{prefix}\033[0m"
        with contextlib.suppress(OSError):  # the terminal may be gone; the platform stays
            print(prefix, line, flush=True)  # noqa: T201


def _log_file(path: Path) -> logging.Handler:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    return logging.handlers.RotatingFileHandler(
        path, maxBytes=LOG_BYTES, backupCount=1, errors="replace"
    )
