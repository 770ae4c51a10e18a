"""Requests in and answers out: the HTTP that the API and the control API share."""

import logging
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from exchanges.paper import javascript
from exchanges.paper.ledger import LedgerNotWritten
from exchanges.paper.refusals import Refusal

logger = logging.getLogger(__name__)


def answer(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(javascript.stringify(value), status, media_type="application/json")


async def canonical_body(request: Request) -> str:
    """The body as JavaScript would write it again; empty when there is none.

    Raises `Refusal` when it is not JSON.
    """
    body = await request.body()
    if not body:
        return ""
    try:
        text = javascript.stringify(javascript.parse(body))
        text.encode()
    except ValueError:
        raise Refusal("The body is not JSON") from None
    return text


async def json_body(request: Request) -> Any:
    """The body, which must say that it is JSON; an empty object when there is none.

    Raises `Refusal`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal("content-type: must be application/json")
    body = await canonical_body(request)
    return javascript.parse_exactly(body) if body else {}


def explain(_request: Request, error: Exception) -> Response:
    """The answer to whatever an endpoint raised; unknown routes get LN Markets' bare text."""
    match error:
        case Refusal():
            return error_answer(error.status, error.code, error.message)
        case HTTPException(status_code=404):
            return PlainTextResponse("Not found", 404)
        case HTTPException():
            return PlainTextResponse(error.detail, error.status_code, error.headers)
        case LedgerNotWritten():
            logger.error("Refused a request, the ledger cannot be written: %s", error)
            return error_answer(
                503, "SERVICE_UNAVAILABLE", "Trading engine is temporarily unavailable"
            )
    return error_answer(500, "INTERNAL_SERVER_ERROR", "Internal server error")


def error_answer(status: int, code: str, message: str) -> Response:
    """An error in the shape of LN Markets."""
    return answer({"code": code, "message": message}, status)
