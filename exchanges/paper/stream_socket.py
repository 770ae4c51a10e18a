"""One connection of the stream: reads requests, sends answers and news, suffers the faults."""

import asyncio
from typing import Any, Final, NamedTuple, assert_never

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from exchanges.paper import javascript
from exchanges.paper.faults import FrameFault
from exchanges.paper.stream_session import Session
from exchanges.paper.strikes import Faults, Strike

MAX_WAITING: Final = 10_000
"""Frames that wait for a client who does not read; one more, and the connection is cut."""
GOING_AWAY: Final = 1001
GARBAGE: Final = '{"jsonrpc":"2.0","method":"subscr\x00\ufffd'


class Frame(NamedTuple):
    """A text to send; news have a topic, answers none."""

    text: str
    topic: str | None = None


class Socket:
    """`serve` accepts the connection and returns when it is over."""

    def __init__(self, websocket: WebSocket, session: Session, faults: Faults) -> None:
        self.session = session
        self._websocket = websocket
        self._transport: asyncio.Transport = websocket.scope["state"]["transport"]
        self._faults = faults
        self._waiting: asyncio.Queue[Frame] = asyncio.Queue(MAX_WAITING)
        self._held_back: Frame | None = None
        self._speaks = asyncio.Event()
        self._speaks.set()

    async def serve(self) -> None:
        """Answer until the connection closes."""
        await self._websocket.accept()
        self.heed_silence()
        sending = asyncio.create_task(self._send_all())
        try:
            await self._answer_all()
        finally:
            sending.cancel()

    def tell(self, topic: str, data: dict[str, Any]) -> None:
        """Send news of a topic, unless the connection is silent."""
        frame = {"jsonrpc": "2.0", "method": "subscription"}
        self._put(frame | {"params": {"topic": topic, "data": data}}, topic)

    def heed_silence(self) -> None:
        """Fall silent, or speak again, as the faults say.

        While it is silent it does not read either, so that not even a ping is answered.
        """
        if self._faults.silences(self.session.account_id):
            self._speaks.clear()
            self._transport.pause_reading()
        elif not self._speaks.is_set():
            self._speaks.set()
            self._transport.resume_reading()

    async def _answer_all(self) -> None:
        while True:
            message = await self._websocket.receive()
            self.heed_silence()
            if message["type"] == "websocket.disconnect":
                return
            await self._speaks.wait()
            answer = self.session.answer(message.get("text") or "")
            self.heed_silence()
            self._put(answer, None)

    def _put(self, content: dict[str, Any], topic: str | None) -> None:
        if not self._speaks.is_set():
            return
        try:
            self._waiting.put_nowait(Frame(javascript.stringify(content), topic))
        except asyncio.QueueFull:
            self._transport.abort()

    async def _send_all(self) -> None:
        while self._websocket.application_state is WebSocketState.CONNECTED:
            frame = await self._waiting.get()
            strike = self._faults.strike_frame(
                topic=frame.topic, account_id=self.session.account_id
            )
            try:
                await (self._send(frame) if strike is None else self._strike(strike, frame))
            except WebSocketDisconnect:
                return

    async def _strike(self, strike: Strike[FrameFault], frame: Frame) -> None:
        match strike.kind:
            case FrameFault.CLOSE:
                await self._websocket.close(GOING_AWAY)
            case FrameFault.CUT:
                self._transport.abort()
            case FrameFault.DUPLICATE:
                await self._send(frame)
                await self._send(frame)
            case FrameFault.REORDER:
                await self._release()
                self._held_back = frame
            case FrameFault.DELAY:
                await asyncio.sleep(strike.seconds)
                await self._send(frame)
            case FrameFault.GARBAGE:
                await self._websocket.send_text(GARBAGE)
            case _:
                assert_never(strike.kind)

    async def _send(self, frame: Frame) -> None:
        await self._websocket.send_text(frame.text)
        await self._release()

    async def _release(self) -> None:
        if self._held_back is not None:
            held_back, self._held_back = self._held_back, None
            await self._websocket.send_text(held_back.text)
