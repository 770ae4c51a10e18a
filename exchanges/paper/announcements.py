"""Announcements of the exchange: made by the control API, heard on the stream alone."""

from typing import Annotated
from uuid import uuid4

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchanges.paper.answers import answer, json_body
from exchanges.paper.commands import ControlCommand
from exchanges.paper.refusals import NotFound
from exchanges.paper.stream import Streams
from exchanges.paper.stream_topics import ANNOUNCEMENTS


class Announcement(ControlCommand):
    """What the exchange has to say."""

    title: Annotated[str, Field(min_length=1, max_length=256)]
    message: Annotated[str, Field(max_length=4096)]
    link: Annotated[str, Field(max_length=2048)] | None = None


class Announcements:
    """Routes under `/control`; what is announced stands until it is withdrawn."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._standing: set[str] = set()

    def routes(self) -> list[Route]:
        """All routes, without the `/control` in front."""
        return [
            Route("/announcements", self._make, methods=["POST"]),
            Route("/announcements/{announcement_id}", self._withdraw, methods=["DELETE"]),
        ]

    async def _make(self, request: Request) -> Response:
        told = Announcement.read(await json_body(request))
        announced = {"id": str(uuid4())} | told.model_dump()
        self._standing.add(announced["id"])
        self._streams.tell(ANNOUNCEMENTS, announced)
        return answer(announced, 201)

    async def _withdraw(self, request: Request) -> Response:
        announcement_id = request.path_params["announcement_id"]
        if announcement_id not in self._standing:
            raise NotFound("announcement: unknown")
        self._standing.remove(announcement_id)
        self._streams.tell(ANNOUNCEMENTS, {"id": announcement_id})
        return Response(status_code=204)
