"""What is wrong with a config, field by field, for every face that takes one."""

from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from automations.rules.registry import kind_of

Model = type[BaseModel]
Variants = dict[int | str, Model]
"""The members of a union, by the tag that chooses one."""


def config_errors(error: ValidationError, *, kind: str) -> dict[str, list[str]]:
    """What pydantic found in a config of this kind, by the names of the fields as they were sent.

    As in `config.action.amount`. Raises `UnknownKind`.
    """
    errors: dict[str, list[str]] = {}
    for problem in error.errors():
        names, sentence = _tell(problem, kind_of(kind).config)
        errors.setdefault(".".join(["config", *names]), []).append(sentence)
    return errors


def _tell(problem: ErrorDetails, config: Model) -> tuple[list[str], str]:
    names, around, here = _walk(problem["loc"], config)
    match problem["type"]:
        case "missing":
            return names, "Required."
        case "extra_forbidden":
            return names, f"Unknown key. Allowed: {_listed(around.model_fields)}."
        case "model_type":
            return names, f"Must be an object with these keys: {_listed(here.model_fields)}."
        case "model_attributes_type":
            return names, f"Must be an object, of one of the types: {_listed(here)}."
        case "union_tag_invalid" | "union_tag_not_found":
            tag = problem["ctx"]["discriminator"].strip("'")
            return [*names, tag], f"Must be one of: {_listed(here)}."
    return names, problem["msg"].removeprefix("Value error, ").rstrip(".") + "."


def _walk(location: Iterable[int | str], config: Model) -> tuple[list[str], Model, Any]:
    """The names that lead to a place, the settings around it, and what belongs there.

    Pydantic's location holds the tag of a union's member as well, as if it had been sent.
    """
    names: list[str] = []
    around: Model = config
    here: Any = config
    for part in location:
        if isinstance(here, dict):
            here = here[part]
        else:
            names.append(str(part))
            around, here = here, _belongs(here, part)
    return names, around, here


def _belongs(around: Model | None, name: int | str) -> Model | Variants | None:
    field = around.model_fields.get(str(name)) if around else None
    if field is None:
        return None
    if field.discriminator:
        members: tuple[Model, ...] = get_args(field.annotation)
        return {_tag(member, str(field.discriminator)): member for member in members}
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _tag(member: Model, discriminator: str) -> str:
    (tag,) = get_args(member.model_fields[discriminator].annotation)
    return str(tag)


def _listed(words: Iterable[int | str]) -> str:
    return ", ".join(sorted(map(str, words)))
