"""What is wrong with a config, field by field, for every face that takes one."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails


def config_errors(error: ValidationError) -> dict[str, list[str]]:
    """Pydantic's errors under the names of the fields, as in `config.action.amount`."""
    errors: dict[str, list[str]] = {}
    for problem in error.errors():
        errors.setdefault(_path(problem["loc"]), []).append(_sentence(problem))
    return errors


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(["config", *(str(part) for part in location)])


def _sentence(problem: ErrorDetails) -> str:
    if problem["type"] == "extra_forbidden":
        return "Unknown key."
    if problem["type"] == "missing":
        return "Required."
    return problem["msg"].removeprefix("Value error, ").rstrip(".") + "."
