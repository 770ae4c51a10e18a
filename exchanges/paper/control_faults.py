"""The part of the control API that makes the exchange hard to reach: faults and rate limits."""

from collections.abc import Collection

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchanges.paper.answers import answer, json_body
from exchanges.paper.book import Book
from exchanges.paper.commands import ControlCommand
from exchanges.paper.faults import Fault
from exchanges.paper.limits import Limits, Profile
from exchanges.paper.refusals import NotFound, Refusal
from exchanges.paper.stream_topics import TOPICS
from exchanges.paper.strikes import Faults


class SetLimits(ControlCommand):
    """Which rate limits hold from now on."""

    profile: Profile


class FaultControl:
    """Routes under `/control`."""

    def __init__(
        self, faults: Faults, limits: Limits, *, book: Book, paths: Collection[str]
    ) -> None:
        """`paths` are all those under `/v3` that a fault can strike."""
        self._faults = faults
        self._limits = limits
        self._book = book
        self._paths = paths

    def routes(self) -> list[Route]:
        """All routes, without the `/control` in front."""
        return [
            Route("/faults", self._add, methods=["POST"]),
            Route("/faults", self._list),
            Route("/faults", self._clear_all, methods=["DELETE"]),
            Route("/faults/{fault_id}", self._clear, methods=["DELETE"]),
            Route("/limits", self._read_limits),
            Route("/limits", self._set_limits, methods=["POST"]),
        ]

    async def _add(self, request: Request) -> Response:
        fault = Fault.read(await json_body(request))
        if fault.account_id is not None:
            self._book.account(fault.account_id)
        if fault.path not in (None, *self._paths):
            raise Refusal(f"path: no such path, allowed: {', '.join(sorted(self._paths))}")
        if fault.topic not in (None, *TOPICS):
            raise Refusal(f"topic: no such topic, allowed: {', '.join(sorted(TOPICS))}")
        return answer({"id": self._faults.add(fault)}, 201)

    async def _list(self, _request: Request) -> Response:
        coming = self._faults.coming().items()
        return answer(
            {"faults": [{"id": fault_id} | fault.as_json() for fault_id, fault in coming]}
        )

    async def _clear(self, request: Request) -> Response:
        try:
            self._faults.clear(request.path_params["fault_id"])
        except KeyError:
            raise NotFound("fault: unknown, or it struck already") from None
        return Response(status_code=204)

    async def _clear_all(self, _request: Request) -> Response:
        self._faults.clear_all()
        return Response(status_code=204)

    async def _read_limits(self, _request: Request) -> Response:
        return answer({"profile": self._limits.profile})

    async def _set_limits(self, request: Request) -> Response:
        self._limits.hold(SetLimits.read(await json_body(request)).profile)
        return await self._read_limits(request)
