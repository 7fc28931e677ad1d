"""The application: all routes, and how what they raise is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from emaild.api.arrivals import Arrivals
from emaild.api.context import Context
from emaild.api.document import document_of
from emaild.api.json_text import json_bytes
from emaild.api.problems import Kind, Problem, answer, service_answer
from emaild.api.routes import interactions, mailboxes, outbox, services, watching, ways
from emaild.api.vitals import Vitals
from emaild.errors import Conflict, InputError, NotFound, StoreFailed
from emaild.services.faults import ServiceFault

MOST_WRONG = 20
LONGEST_WRONG = 300  # characters


def application(context: Context, vitals: Vitals, arrivals: Arrivals) -> FastAPI:
    """The routes, behind no guard yet."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    routers = (
        interactions.routes(context, arrivals),
        outbox.routes(context),
        ways.routes(context),
        services.routes(context, arrivals),
        mailboxes.routes(context),
        watching.routes(vitals),
    )
    for router in routers:
        app.include_router(router)
    for raised, told in ANSWERS.items():
        app.add_exception_handler(raised, _handler(told))

    @app.exception_handler(405)
    def not_allowed(request: Request, error: HTTPException) -> Response:
        """All methods of the path stand in Allow (RFC 9110 §10.2.1), of whichever operation they are."""
        known = [one for router in routers for one in router.routes if isinstance(one, Route)]
        named = [one for one in known if one.path == request.scope["path"]]  # {id} fits those, too
        fitting = named or [one for one in known if one.matches(request.scope)[0] is not Match.NONE]
        methods = {method for one in fitting for method in one.methods or ()} or {"GET"}
        allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
        detail = f"{request.method[:LONGEST_WRONG]} is no method of this path; see /openapi.json"
        return answer(Problem(Kind.METHOD_NOT_ALLOWED, detail, {"Allow": allowed}))

    document = json_bytes(document_of(app))

    @app.get("/openapi.json", response_class=Response)
    def get_document() -> Response:
        """This document."""
        return Response(document, media_type="application/json")

    return app


def _handler(told: Callable[[Any], Response]) -> Callable[[Request, Exception], Response]:
    def handle(request: Request, error: Exception) -> Response:
        return told(error)

    return handle


def _http(error: HTTPException) -> Response:
    kind = Kind.NOT_FOUND if error.status_code == 404 else Kind.BAD_REQUEST
    return answer(Problem(kind, f"{error.detail}; see /openapi.json", dict(error.headers or {})))


def _invalid(error: RequestValidationError | ValidationError) -> Response:
    """What is wrong, and where; not what was given: it may be large."""
    faults = [
        f"{'.'.join(map(str, one['loc']))[:LONGEST_WRONG] or 'the body'}: {one['msg'][:LONGEST_WRONG]}"
        for one in error.errors()
    ]
    return answer(Problem(Kind.WRONG_REQUEST, faults[0] if faults else "", more={"wrong": faults[:MOST_WRONG]}))


ANSWERS: dict[type[Exception], Callable[[Any], Response]] = {
    Problem: answer,
    ServiceFault: service_answer,
    NotFound: lambda error: answer(Problem(Kind.NOT_FOUND, str(error))),
    Conflict: lambda error: answer(Problem(Kind.CONFLICT, str(error))),
    InputError: lambda error: answer(Problem(Kind.WRONG_MAIL, str(error))),
    StoreFailed: lambda _: answer(Problem(Kind.STORE_FAILED, "nothing was changed; come again in a few seconds")),
    RequestValidationError: _invalid,
    ValidationError: _invalid,
    HTTPException: _http,
    Exception: lambda _: answer(Problem(Kind.INTERNAL, "it was logged; please report it")),
}
