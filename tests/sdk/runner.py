"""One SDK in a process of its own, asked step by step."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from queue import Queue
from threading import Condition, Thread
from typing import Any

from exchanges.types import Credentials
from tests.sdk.sdks import Address, Sdk
from tests.sdk.table import Outcome, Table

PATIENCE_SECONDS = 30
Predicate = Callable[[Any], bool]


class Runner:
    """Asks, judges the answers, and enters them into the `table`."""

    def __init__(
        self, sdk: Sdk, address: Address, clients: Mapping[str, Credentials | None], log: Path
    ) -> None:
        self.sdk = sdk
        self.table = Table(sdk.name)
        self._log = log
        self._process = subprocess.Popen(
            sdk.command,
            env={"PATH": os.environ["PATH"], **sdk.environment(address)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log.open("wb"),
            text=True,
        )
        self._replies: Queue[Any] = Queue()
        self._news: list[dict[str, Any]] = []
        self._heard = Condition()
        Thread(target=self._read, daemon=True).start()
        self._send({name: given and asdict(given) for name, given in clients.items()})
        surface = self._reply()["surface"]
        self.calls: list[str] = surface["calls"]
        self.news: list[tuple[str, str | None]] = [(name, event) for name, event in surface["news"]]

    def close(self) -> None:
        """Let the process end, and count what was missing."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(PATIENCE_SECONDS)
        self.table.expect([*self.calls, *(_told(*told) for told in self.news)])

    def has(self, call: str) -> bool:
        """Whether the SDK has this call."""
        return self.sdk.name_of(call) in self.calls

    def ok(
        self, call: str, given: Any = None, *, holds: Predicate = lambda _: True, by: str = "trader"
    ) -> Any:
        """The answer, which must be one, and hold; nothing if the SDK has no such call."""
        if not self.has(call):
            return None
        reply = self._ask(call, given, by)
        good = "answer" in reply and holds(reply["answer"])
        self._enter(call, Outcome.OK if good else Outcome.FAILED, given, reply)
        return reply.get("answer")

    def refused(
        self, call: str, given: Any = None, *, code: str | None, says: str = "", by: str = "trader"
    ) -> None:
        """It must be refused, with this code, in these words."""
        if not self.has(call):
            return
        reply = self._ask(call, given, by)
        told = reply.get("refused", {"code": "", "message": ""})
        good = told["code"] == code and says in told["message"]
        self._enter(call, Outcome.REFUSED if good else Outcome.FAILED, given, reply)

    def removed(self, call: str, given: Any = None) -> None:
        """The exchange must not know it any more."""
        if not self.has(call):
            return
        reply = self._ask(call, given, "trader")
        told = reply.get("refused", {"status": None, "message": ""})
        # The API of version 2 in the SDK reads every answer as JSON, and fails on the text of 404.
        good = told["status"] == 404 or '"Not found" is not valid JSON' in told["message"]
        self._enter(call, Outcome.REMOVED if good else Outcome.FAILED, given, reply)

    def hears(self, *news: tuple[str, str | None]) -> None:
        """The stream must tell all of it, as the SDK expects it."""
        with self._heard:
            self._heard.wait_for(lambda: all(self._of(*told) for told in news), PATIENCE_SECONDS)
            heard = {told: self._of(*told) for told in news}
        for told, found in heard.items():
            invalid = [each["invalid"] for each in found if "invalid" in each]
            good = found and not invalid
            note = str(invalid or "not heard")
            self.table.add(_told(*told), Outcome.OK if good else Outcome.FAILED, note)

    def _of(self, topic: str, event: str | None) -> list[dict[str, Any]]:
        about = [each for each in self._news if each["topic"] == topic]
        return [each for each in about if event is None or each["data"]["event"] == event]

    def _enter(self, call: str, outcome: Outcome, given: Any, reply: Any) -> None:
        note = f"{json.dumps(given)} → {json.dumps(reply)}"
        self.table.add(self.sdk.name_of(call), outcome, note)

    def _ask(self, call: str, given: Any, by: str) -> Any:
        self._send({"call": self.sdk.name_of(call), "given": given, "by": by})
        return self._reply()

    def _send(self, line: Any) -> None:
        assert self._process.stdin
        print(json.dumps(line), file=self._process.stdin, flush=True)

    def _reply(self) -> Any:
        reply = self._replies.get(timeout=PATIENCE_SECONDS)
        if reply is None:
            raise RuntimeError(f"{self.sdk.name} ended: {self._log.read_text()}")
        return reply

    def _read(self) -> None:
        assert self._process.stdout
        for text in self._process.stdout:
            line = json.loads(text)
            if "news" not in line:
                self._replies.put(line)
                continue
            with self._heard:
                self._news.append(line["news"])
                self._heard.notify_all()
        self._replies.put(None)


def shows(**fields: Any) -> Predicate:
    """The answer has these fields with these values."""
    return lambda answer: all(answer[name] == value for name, value in fields.items())


def each(**fields: Any) -> Predicate:
    """The answer is a list, not empty, all of it with these values."""
    return lambda answer: bool(answer) and all(map(shows(**fields), answer))


def page(count: int, *, more: bool = False, **fields: Any) -> Predicate:
    """The answer is a page of so many with these values, and says whether there are more."""
    return lambda answer: (
        len(answer["data"]) == count
        and all(map(shows(**fields), answer["data"]))
        and (answer["nextCursor"] is not None) is more
    )


def _told(topic: str, event: str | None) -> str:
    return f"news {topic}" if event is None else f"news {topic}: {event}"
