"""What a program is told when its request is not done: application/problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus

from starlette.responses import Response

from emaild.api.json_text import json_bytes
from emaild.services.faults import FaultKind, ServiceFault

MEDIA_TYPE = "application/problem+json"
TYPES = "/problems/"
RETRY_AFTER = 5  # seconds


class Kind(Enum):
    """Each sort of problem: its status, and its title; its type is /problems/ and its name with dashes."""

    BAD_REQUEST = (400, "This is no request that HTTP knows")
    UNAUTHORIZED = (401, "A token is needed that is known here")
    NOT_FOUND = (404, "There is nothing here")
    METHOD_NOT_ALLOWED = (405, "This cannot be done here")
    TOO_SLOW = (408, "The request did not arrive in time")
    CONFLICT = (409, "It is not as it must be for that")
    KEY_USED = (409, "The Idempotency-Key was used for another request")
    MAILBOX_RESTS = (409, "The mailbox is not read")
    TOO_LARGE = (413, "The body is too large")
    MEDIA_TYPE = (415, "The body's type is not one that is taken here")
    WRONG_REQUEST = (422, "The request says something that is wrong")
    WRONG_MAIL = (422, "This is no mail that can be sent")
    MAIL_TOO_BIG = (413, "The mail is larger than its way out takes")
    NO_WAY_OUT = (422, "No way out takes the mail")
    INTERNAL = (500, "A fault in emaild itself")
    BUSY = (503, "There is too much to do at this moment")
    STORE_FAILED = (503, "The store cannot be used at this moment")

    @property
    def type(self) -> str:
        """The last part of the type."""
        return self.name.lower().replace("_", "-")


SERVICE_STATUS = {
    FaultKind.UNKNOWN_METHOD: 404,
    FaultKind.INTERACTION_GONE: 404,
    FaultKind.ALREADY_SENT: 409,
    FaultKind.PARENT_GONE: 409,
    FaultKind.TOO_BIG: 413,
}
"""The statuses of the faults of services; that of the others is 422."""


@dataclass
class Problem(Exception):
    """A request that is not done. *headers* are for the answer; *more* is what the document says beside."""

    kind: Kind
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, object] = field(default_factory=dict)


def answer(problem: Problem) -> Response:
    """The answer that tells a program of it."""
    status, title = problem.kind.value
    headers = dict(problem.headers)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER)
    return _response(problem.kind.type, status, title, problem.detail, headers, problem.more)


def service_answer(fault: ServiceFault) -> Response:
    """The answer of a service that was not done: its type is the kind of the fault."""
    title = str(fault.kind).replace("-", " ").capitalize()
    more = {"parameter": fault.parameter} if fault.parameter else {}
    return _response(str(fault.kind), SERVICE_STATUS.get(fault.kind, 422), title, str(fault), {}, more)


def _response(
    kind: str, status: int, title: str, detail: str, headers: Mapping[str, str], more: Mapping[str, object]
) -> Response:
    document = {"type": TYPES + kind, "title": title, "status": status, "detail": detail, **more}
    return Response(json_bytes(document), status, headers, MEDIA_TYPE)
