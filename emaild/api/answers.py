"""How operations say in the OpenAPI document what they answer."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from emaild.api.problems import MEDIA_TYPE, TYPES, Kind

REFERENCE = "#/components/schemas/"
BY_STATUS = {kind.value[0]: kind for kind in reversed(Kind)}  # the first of each
ALWAYS = (400, 401, 408, 413, 422, 500, 503)

Described = dict[int | str, dict[str, Any]]


def got(model: type[BaseModel], example: object, *, status: int = 200, says: str = "Done") -> Described:
    """A JSON document."""
    content = {"application/json": {"schema": {"$ref": f"{REFERENCE}{model.__name__}"}, "example": example}}
    return {status: {"description": says, "content": content}}


def file_got(media_type: str, says: str) -> Described:
    """Bytes."""
    return {200: {"description": says, "content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}}


def problems(*statuses: int) -> Described:
    """What every operation may answer, and these."""
    return {status: _problem(BY_STATUS[status]) for status in sorted({*ALWAYS, *statuses})}


def _problem(kind: Kind) -> dict[str, Any]:
    status, title = kind.value
    example = {"type": TYPES + kind.type, "title": title, "status": status, "detail": "what exactly is wrong"}
    content = {MEDIA_TYPE: {"schema": {"$ref": f"{REFERENCE}Problem"}, "example": example}}
    return {"description": title, "content": content}


def json_body(schema: dict[str, Any], example: object) -> dict[str, Any]:
    """The body of a request, to be `openapi_extra`."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}}


def reference(model: type[BaseModel]) -> dict[str, Any]:
    """A model that stands among the components."""
    return {"$ref": f"{REFERENCE}{model.__name__}"}
