"""Faults on demand: what a network and a busy exchange do to a request.

A fault strikes the next `times` requests under `/v3` that match it. "before" and "after" mean
before and after the exchange executes the request. A delayed request is executed even when its
client has long given up; whether it is still within the signature's window is decided then.
"""

import asyncio
from enum import StrEnum
from typing import Annotated, Self
from uuid import uuid4

from pydantic import Field, model_validator
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exchanges.paper.auth import KEY_HEADER
from exchanges.paper.book import Book
from exchanges.paper.commands import ControlCommand, Number

MAX_DELAY = 600
UNAVAILABLE = PlainTextResponse("Service Unavailable", 503)


class FaultKind(StrEnum):
    """What happens to the request.

    "cut" closes the connection without an answer, "fail" answers 503.
    """

    DELAY_BEFORE = "delay_before"
    DELAY_AFTER = "delay_after"
    CUT_BEFORE = "cut_before"
    CUT_AFTER = "cut_after"
    FAIL_BEFORE = "fail_before"
    FAIL_AFTER = "fail_after"


class Fault(ControlCommand):
    """One fault to come; path, method and account narrow which requests it strikes."""

    kind: FaultKind
    path: Annotated[str, Field(pattern=r"^/v3/")] | None = None
    method: Annotated[str, Field(pattern=r"^(GET|POST|PUT|DELETE)$")] | None = None
    account_id: str | None = None
    seconds: Annotated[Number, Field(gt=0, le=MAX_DELAY)] | None = None
    times: Annotated[int, Field(strict=True, ge=1)] = 1

    @model_validator(mode="after")
    def _has_seconds_if_delayed(self) -> Self:
        delays = self.kind in (FaultKind.DELAY_BEFORE, FaultKind.DELAY_AFTER)
        if delays != (self.seconds is not None):
            raise ValueError("seconds: required for delays, forbidden otherwise")
        return self

    def strikes(self, *, method: str, path: str, account_id: str | None) -> bool:
        """Whether a request is one of those meant."""
        wanted = (self.method or method, self.path or path, self.account_id or account_id)
        return wanted == (method, path, account_id)

    async def wait(self) -> None:
        """Let the delay pass."""
        await asyncio.sleep(float(self.seconds or 0))


class Faults:
    """The faults still to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._coming: dict[str, Fault] = {}

    def add(self, fault: Fault) -> str:
        """Let the fault strike from now on; answers its id."""
        fault_id = str(uuid4())
        self._coming[fault_id] = fault
        return fault_id

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._coming.clear()

    def take(self, *, method: str, path: str, account_id: str | None) -> Fault | None:
        """The first fault that strikes this request; it has one time less to go."""
        for fault_id, fault in self._coming.items():
            if fault.strikes(method=method, path=path, account_id=account_id):
                if fault.times == 1:
                    del self._coming[fault_id]
                else:
                    self._coming[fault_id] = fault.model_copy(update={"times": fault.times - 1})
                return fault
        return None


class FaultyNetwork:
    """ASGI middleware that lets the faults strike.

    Needs `cut` in the scope's state, which closes the connection (`server.CuttableProtocol`).
    """

    def __init__(self, app: ASGIApp, *, faults: Faults, book: Book) -> None:
        self._app = app
        self._faults = faults
        self._book = book

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or do to it what the fault says."""
        account = self._book.account_of(Headers(scope=scope).get(KEY_HEADER, ""))
        account_id = account.id if account else None
        fault = self._faults.take(method=scope["method"], path=scope["path"], account_id=account_id)
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await self._strike(fault, scope, receive, send)

    async def _strike(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        whole = await _read_ahead(receive)
        match fault.kind:
            case FaultKind.CUT_BEFORE:
                await _cut(scope, receive)
            case FaultKind.FAIL_BEFORE:
                await UNAVAILABLE(scope, whole, send)
            case FaultKind.DELAY_BEFORE:
                await fault.wait()
                await self._app(scope, whole, send)
            case FaultKind.CUT_AFTER:
                await self._execute(scope, whole)
                await _cut(scope, receive)
            case FaultKind.FAIL_AFTER:
                await self._execute(scope, whole)
                await UNAVAILABLE(scope, whole, send)
            case FaultKind.DELAY_AFTER:
                answer = await self._execute(scope, whole)
                await fault.wait()
                for message in answer:
                    await send(message)

    async def _execute(self, scope: Scope, receive: Receive) -> list[Message]:
        answer: list[Message] = []

        async def hold(message: Message) -> None:
            answer.append(message)

        await self._app(scope, receive, hold)
        return answer


async def _read_ahead(receive: Receive) -> Receive:
    """All of the request, so that it is there even if the client goes away meanwhile."""
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())

    async def replay() -> Message:
        return messages.pop(0) if messages else await receive()

    return replay


async def _cut(scope: Scope, receive: Receive) -> None:
    scope["state"]["cut"]()
    while (await receive())["type"] != "http.disconnect":
        pass
