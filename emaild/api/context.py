"""What the routes work with, and what they all do the same way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from emaild.api.json_text import NotJson, parsed
from emaild.api.problems import Kind, Problem
from emaild.clock import Clock
from emaild.settings.api import ApiSection
from emaild.settings.load import Settings
from emaild.store import Store

ID = re.compile(r"[0-9A-Za-z]{16}")
JSON = "application/json"
CHARSET = re.compile(r';\s*charset\s*=\s*"?([^";\s]*)', re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Context:
    """`poll` has a mailbox read now, and says whether it is one that is read; `section` is the `[api]` in effect."""

    settings: Callable[[], Settings]
    section: Callable[[], ApiSection]
    store: Store
    clock: Clock
    poll: Callable[[str], bool]


def id_in(name: str, what: str) -> str:
    """An id from a path, in capitals.

    Raises:
        Problem: nothing can have it.
    """
    if not ID.fullmatch(name):
        raise Problem(Kind.NOT_FOUND, f"an id of {what} has sixteen letters and digits")
    return name.upper()


def media_type(request: Request) -> str:
    """The type of the body, without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def json_of(request: Request) -> object:
    """What the body says.

    Raises:
        Problem: it is no JSON, or another type is said.
    """
    if media_type(request) != JSON:
        raise Problem(Kind.MEDIA_TYPE, f"expected Content-Type: {JSON}")
    for charset in CHARSET.findall(request.headers["content-type"]):
        if charset.lower() not in ("utf-8", "utf8"):
            raise Problem(Kind.MEDIA_TYPE, "expected JSON in UTF-8 (RFC 8259 §8.1)")
    try:
        return parsed(body_of(request))
    except NotJson as error:
        raise Problem(Kind.WRONG_REQUEST, str(error)) from error


def body_of(request: Request) -> bytes:
    """The body, of a request that the guard let through."""
    body: bytes = request.state.body
    return body
