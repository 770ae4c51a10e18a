"""What the exchange says about a request that it declined."""

from dataclasses import dataclass

from exchanges.errors import UnreadableAnswer
from exchanges.fields import load


@dataclass(frozen=True, slots=True)
class Problem:
    """What the exchange says about a request it declined; both empty when it says nothing."""

    code: str
    message: str


def problem(body: bytes) -> Problem:
    """The code and the message of an error, as far as there are any, printable. Never raises."""
    try:
        document = load(body)
    except UnreadableAnswer:
        return Problem("", "")
    fields = document if isinstance(document, dict) else {}
    code, message = fields.get("code"), fields.get("message")
    return Problem(
        code=_one_line(code) if isinstance(code, str) else "",
        message=_one_line(message) if isinstance(message, str) else "",
    )


def _one_line(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())
