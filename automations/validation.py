"""What is wrong with a config, field by field, for every face that takes one."""

from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from automations.rules.registry import kind_of

Model = type[BaseModel]
OF_A_KEY = "[key]"
"""How pydantic says that it is the key of a mapping that is wrong."""


def config_errors(error: ValidationError, *, kind: str) -> dict[str, list[str]]:
    """What pydantic found in a config of this kind, by the names of the fields as they were sent.

    As in `config.action.amount`. Raises `UnknownKind`.
    """
    errors: dict[str, list[str]] = {}
    problems = error.errors()
    for problem in problems:
        if problem["type"] == "too_short" and _has_worse(problem, problems):
            continue
        names, sentence = _tell(problem, kind_of(kind).config)
        errors.setdefault(".".join(["config", *names]), []).append(sentence)
    return errors


def _has_worse(problem: ErrorDetails, problems: Iterable[ErrorDetails]) -> bool:
    """Whether a list only seems too short, since pydantic does not count what is wrong in it."""
    place = problem["loc"]
    return any(other["loc"][: len(place)] == place for other in problems if other is not problem)


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
        case "tuple_type":
            return names, "Must be a list."
        case "too_short" | "too_long" as what:
            limit = problem["ctx"].get("min_length" if what == "too_short" else "max_length")
            return names, f"Must have {limit} at {'least' if what == 'too_short' else 'most'}."
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
        elif part != OF_A_KEY:
            names.append(str(part))
            around, here = (here if _is_model(here) else around), _belongs(here, part)
    return names, around, here


def _belongs(around: Any, name: int | str) -> Any:
    """What belongs at a place of a model, a list or a mapping."""
    if _is_model(around):
        field = around.model_fields.get(str(name))
        return field and _plain(field.annotation, field.discriminator)
    *_, item = (arg for arg in get_args(around) if arg is not Ellipsis) if around else [None]
    return _plain(item, None)


def _plain(annotation: Any, discriminator: Any) -> Any:
    """A type without what only wraps it; of a union told apart by a tag, its variants."""
    if get_origin(annotation) is Annotated:
        annotation, *notes = get_args(annotation)
        tags = [note.discriminator for note in notes if isinstance(note, FieldInfo)]
        return _plain(annotation, next(filter(None, tags), discriminator))
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    members = [member for member in get_args(annotation) if member is not NoneType]
    if len(members) == 1:
        return _plain(members[0], discriminator)
    return {_tag(member, str(discriminator)): member for member in members}


def _is_model(here: Any) -> bool:
    return isinstance(here, type) and issubclass(here, BaseModel)


def _tag(member: Model, discriminator: str) -> str:
    (tag,) = get_args(member.model_fields[discriminator].annotation)
    return str(tag)


def _listed(words: Iterable[int | str]) -> str:
    return ", ".join(sorted(map(str, words)))
