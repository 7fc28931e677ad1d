"""/openapi.json: the interface, described for programs that write programs."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from emaild import __version__
from emaild.api import given, got
from emaild.api.answers import REFERENCE
from emaild.api.guard import ALWAYS_OPEN
from emaild.api.problems import TYPES, Kind
from emaild.services.faults import FaultKind

MODELS = [
    one
    for module in (given, got)
    for one in vars(module).values()
    if isinstance(one, type) and issubclass(one, BaseModel) and one.__module__ == module.__name__
]
TEXT = """Interactions, the outbox, the business services and the mailboxes of an emaild.

Every request but those for health shows a token: `Authorization: Bearer TOKEN`. What is not done is answered with
`application/problem+json` (RFC 9457); its `type` is one of {types}.

Times are RFC 3339 in UTC. Ids have sixteen digits and capitals and sort by the time they were made. A text may hold
neither NUL nor half a character, a number no more than 64 bits; an unknown name in a query or body is an error.
"""


def document_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an application."""
    kinds = [*(kind.type for kind in Kind), *map(str, FaultKind)]
    types = ", ".join(f"`{TYPES}{kind}`" for kind in dict.fromkeys(kinds))
    document = get_openapi(title="emaild", version=__version__, routes=app.routes, description=TEXT.format(types=types))
    _, defined = models_json_schema([(one, "validation") for one in MODELS], ref_template=REFERENCE + "{model}")
    components = document.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **defined["$defs"]}
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    for path in ALWAYS_OPEN:
        for operation in document["paths"][path].values():
            operation["security"] = []
    return document
