"""What a network and a busy exchange do to a request, as the faults ask for."""

import asyncio
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exchanges.paper.answers import error_answer
from exchanges.paper.auth import KEY_HEADER
from exchanges.paper.book import Book
from exchanges.paper.faults import RequestFault
from exchanges.paper.faulty_answers import Answer, Transmission, spoil
from exchanges.paper.limits import too_many_requests
from exchanges.paper.strikes import Faults, Strike

GATEWAY_ERRORS = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)


class FaultyNetwork:
    """ASGI middleware that lets the faults strike.

    Needs the connection's `transport` in the scope's state (`server.OpenProtocol`).
    """

    def __init__(self, app: ASGIApp, *, faults: Faults, book: Book) -> None:
        self._app = app
        self._faults = faults
        self._book = book

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or do to it what the fault says."""
        account = self._book.account_of(Headers(scope=scope).get(KEY_HEADER, ""))
        strike = self._faults.strike_request(
            method=scope["method"],
            path=scope["path"],
            account_id=None if account is None else account.id,
        )
        if strike is None:
            await self._app(scope, receive, send)
        else:
            await self._strike(strike, scope, receive, send)

    async def _strike(
        self, strike: Strike[RequestFault], scope: Scope, receive: Receive, send: Send
    ) -> None:
        whole = await _read_ahead(receive)
        match strike.kind:
            case RequestFault.CUT_BEFORE:
                await _cut(scope, receive)
            case RequestFault.FAIL_BEFORE:
                await _failure(strike.status)(scope, whole, send)
            case RequestFault.TOO_MANY_REQUESTS:
                await too_many_requests(strike.seconds)(scope, whole, send)
            case RequestFault.DELAY_BEFORE:
                await asyncio.sleep(strike.seconds)
                await self._app(scope, whole, send)
            case RequestFault.CUT_AFTER:
                await self._execute(scope, whole)
                await _cut(scope, receive)
            case RequestFault.FAIL_AFTER:
                await self._execute(scope, whole)
                await _failure(strike.status)(scope, whole, send)
            case RequestFault.DELAY_AFTER:
                answer = await self._execute(scope, whole)
                await asyncio.sleep(strike.seconds)
                await _send_whole(answer, send)
            case spoiling:
                answer = await self._execute(scope, whole)
                await _transmit(spoil(spoiling, answer, pause=strike.seconds), scope, whole, send)

    async def _execute(self, scope: Scope, receive: Receive) -> Answer:
        messages: list[Message] = []

        async def hold(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, hold)
        start, *rest = messages
        body = b"".join(message.get("body", b"") for message in rest)
        return Answer(start["status"], dict(start["headers"]), body)


def _failure(status: int) -> Response:
    """Gateways speak plain text, the exchange itself JSON."""
    failed = HTTPStatus(status)
    if failed in GATEWAY_ERRORS:
        return PlainTextResponse(failed.phrase, failed)
    return error_answer(failed, failed.name, failed.phrase)


async def _read_ahead(receive: Receive) -> Receive:
    """All of the request, so that it is there even if the client goes away meanwhile."""
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())

    async def replay() -> Message:
        return messages.pop(0) if messages else await receive()

    return replay


async def _cut(scope: Scope, receive: Receive) -> None:
    scope["state"]["transport"].abort()
    await _until_gone(receive)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_whole(answer: Answer, send: Send) -> None:
    await _start(answer, send)
    await send({"type": "http.response.body", "body": answer.body})


async def _transmit(answer: Transmission, scope: Scope, receive: Receive, send: Send) -> None:
    await _start(answer, send)
    gone = asyncio.create_task(_until_gone(receive))
    try:
        for piece in answer.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.wait({gone}, timeout=answer.pause)
            if gone.done():
                return
    finally:
        gone.cancel()
    if answer.is_cut:
        await _cut(scope, receive)
    else:
        await send({"type": "http.response.body", "body": b""})


async def _start(answer: Answer | Transmission, send: Send) -> None:
    headers = list(answer.headers.items())
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
