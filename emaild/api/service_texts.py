"""What a program tells a service in JSON, as the texts that conf files and the command line have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emaild.api.problems import Kind, Problem
from emaild.settings.option import options
from emaild.settings.services import GROUPS, ServiceParameters

VALUE = {"type": ["string", "boolean", "number", "null"]}
LIST = {"type": "array", "items": {"type": "string"}}


def texts_of(document: object) -> dict[str, str]:
    """Names and texts: true and false and numbers as they are written, lists with commas, objects as NAME.KEY. What is
    null is not given.

    Raises:
        Problem: it is no object, or something in it is nested deeper.
    """
    if not isinstance(document, dict):
        raise Problem(Kind.WRONG_REQUEST, "expected an object with the service's parameters")
    return dict(_texts(document))


def _texts(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", _text(f"{name}.{key}", one)) for key, one in value.items() if one is not None)
        elif isinstance(value, list):
            yield name, ", ".join(_text(name, one) for one in value)
        elif value is not None:
            yield name, _text(name, value)


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise Problem(Kind.WRONG_REQUEST, f"{name[:100]}: expected a text, a number, true or false")


def schema_of(service: type[ServiceParameters]) -> dict[str, Any]:
    """The JSON Schema of what a service is told."""
    known: dict[str, Any] = {
        one.name: {
            "description": f"{one.help} Expects {one.parser.expects}.",
            "anyOf": [VALUE, LIST],
            **({"default": one.default} if one.default else {}),
        }
        for one in options(service)
    }
    for group, name in GROUPS.items():
        if name in service.__dataclass_fields__:
            known[group] = {"type": "object", "additionalProperties": VALUE}
    return {
        "type": "object",
        "title": service.kind.name,
        "description": service.kind.help,
        "properties": known,
        "required": [one.name for one in options(service) if one.required],
        "additionalProperties": {"anyOf": [VALUE, LIST, {"type": "object", "additionalProperties": VALUE}]},
    }
