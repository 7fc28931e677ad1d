"""Requests that a program may send again: the header field Idempotency-Key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Header, Request

from emaild.api.context import body_of, media_type
from emaild.api.problems import Kind, Problem
from emaild.errors import Conflict
from emaild.store import Store

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,255}$",
        description="The same key and the same request: nothing is done twice, and the answer is that of the first time"
        " (for as long as the history is kept).",
    ),
]


@dataclass(frozen=True)
class Asked:
    """A request with its key, which is its caller's own, and a digest of all that it says."""

    key: str
    digest: str

    def before(self, store: Store) -> Mapping[str, object] | None:
        """How it was answered; None: it was not.

        Raises:
            Problem: the key was used for another request.
        """
        try:
            return store.writing.answer(self.key, self.digest)
        except Conflict as error:
            raise Problem(Kind.KEY_USED, str(error)) from error


def asked_by(request: Request, key: str | None) -> Asked | None:
    """The request, if it has a key.

    Raises:
        Problem: it has two, and nobody knows which counts.
    """
    if len(request.headers.getlist("Idempotency-Key")) > 1:
        raise Problem(Kind.WRONG_REQUEST, "expected one Idempotency-Key")
    if key is None:
        return None
    says = hashlib.sha256()
    for part in (request.method, request.url.path, request.url.query, media_type(request)):
        says.update(part.encode("utf-8", "replace") + b"\n")
    says.update(body_of(request))
    return Asked(f"{request.state.client} {key}", says.hexdigest())
