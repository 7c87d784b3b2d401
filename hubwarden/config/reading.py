"""A YAML text read as one of our models: every fault with its line, its key, and what is allowed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hubwarden.config.document import LARGEST, Document, Path, read_document
from hubwarden.config.values import SUCH_AS
from hubwarden.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)


def read_as(
    model: type[Model], text: str, source: str, shape: str, *, largest: int = LARGEST
) -> tuple[Model, Document]:
    """The text as that model, and the document with its lines; `shape` says what the whole is.

    Raises ConfigError with every fault.
    """
    document = read_document(text, largest=largest)
    if document.faults:
        raise ConfigError([f"{source}: {fault}" for fault in document.faults])
    if not isinstance(document.data, dict):
        raise ConfigError([f"{source}: line 1: {shape}"])
    try:
        return model.model_validate(document.data), document
    except ValidationError as error:
        raise ConfigError(_faults(model, source, document, error.errors())) from error


def _faults(model: type[BaseModel], source: str, document: Document, errors: Sequence[Any]) -> list[str]:
    # A list whose items were refused counts as too short as well; that is no fault of its own.
    refused = {details["loc"][:-1] for details in errors}
    return [
        _fault(model, source, document, details)
        for details in errors
        if not (
            details["type"] == "too_short" and any(path[: len(details["loc"])] == details["loc"] for path in refused)
        )
    ]


def _fault(model: type[BaseModel], source: str, document: Document, details: Any) -> str:
    path = tuple(details["loc"])
    return f"{source}: {document.told((path, _reason(model, path, details)))}"


def _reason(model: type[BaseModel], path: Path, details: Any) -> str:
    match details["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return f"is not a key here; allowed are {', '.join(_allowed(model, path[:-1]))}"
        case "string_pattern_mismatch":
            pattern = details["ctx"]["pattern"]
            example = f", such as {SUCH_AS[pattern]}" if pattern in SUCH_AS else ""
            return f"{str(details['input'])[:80]!r} does not look right; it matches {pattern}{example}"
        case "too_short":
            return f"it needs at least {details['ctx']['min_length']}"
        case "value_error":
            return str(details["ctx"]["error"])
        case "literal_error":
            return f"it should be {details['ctx']['expected'].replace('True', 'true')}, not {_shown(details['input'])}"
        case kind if kind in _KINDS:
            return f"it should be {_KINDS[kind]}, not {_shown(details['input'])}"
        case _:
            return f"{details['msg'].replace('Input should', 'it should')}, not {_shown(details['input'])}"


_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "a mapping of keys to values",
}
"""What the file calls the types in which pydantic thinks."""


def _shown(value: object) -> str:
    """What the file says there, as YAML would."""
    return repr(value[:80]) if isinstance(value, str) else json.dumps(value, default=str)[:80]


def _allowed(whole: type[BaseModel], path: Path) -> list[str]:
    model: Any = whole
    for part in path:
        if isinstance(part, str):
            model = next(info for name, info in model.model_fields.items() if (info.alias or name) == part).annotation
            model = next((argument for argument in getattr(model, "__args__", ()) if _is_part(argument)), model)
    return sorted(info.alias or name for name, info in model.model_fields.items())


def _is_part(candidate: object) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)
