"""/v1/services: the business services."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from emaild.api import examples
from emaild.api.answers import got, json_body, problems
from emaild.api.arrivals import Arrivals
from emaild.api.callers import caller_of
from emaild.api.context import Context, json_of
from emaild.api.got import ServiceDoneGot, ServicesGot
from emaild.api.json_text import answered
from emaild.api.paths import ServiceName
from emaild.api.problems import Kind, Problem
from emaild.api.repeated import IdempotencyKey, asked_by
from emaild.api.service_texts import schema_of, texts_of
from emaild.errors import Conflict
from emaild.services.call import call
from emaild.services.documentation import described
from emaild.services.office import Office
from emaild.settings.services import SERVICES, ServiceParameters

Done = Callable[[str, Request, str | None], Response]
ANSWERS = {**got(ServiceDoneGot, examples.SERVICE_DONE), **problems(404, 409, 415)}


def routes(context: Context, arrivals: Arrivals) -> APIRouter:
    """The operations: one for each service, and one for their other names."""
    router = APIRouter(prefix="/v1/services", default_response_class=Response, tags=["services"])

    @router.get("", responses={**got(ServicesGot, {"services": described()[:1]}), **problems()})
    def list_services() -> Response:
        """All services with their aliases and parameters."""
        return answered({"services": described()})

    def done(method: str, request: Request, key: str | None) -> Response:
        asked = asked_by(request, key)
        settings = context.settings()
        caller = caller_of(settings, request.state.client)
        office = Office(settings=settings, store=context.store, caller=caller)
        repeatable = (asked.key, asked.digest) if asked else None
        try:
            result = call(method, texts_of(json_of(request)), office, context.clock.now(), request=repeatable)
        except Conflict as error:
            raise Problem(Kind.KEY_USED, str(error)) from error
        arrivals.changed()
        return answered(result)

    for service in SERVICES:
        _add(router, service, done)

    @router.post(
        "/{method}",
        responses=ANSWERS,
        openapi_extra=json_body({"type": "object"}, examples.SERVICE_CALL),
    )
    def call_service(
        request: Request,
        method: ServiceName,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """A service by an alias or another spelling of its name."""
        return done(method, request, idempotency_key)

    return router


def _add(router: APIRouter, service: type[ServiceParameters], done: Done) -> None:
    name = service.kind.name

    @router.post(
        f"/{name}",
        summary=name,
        description=f"{service.kind.help} Also known as: {', '.join(service.aliases)}.",
        operation_id=f"call_{name}",
        responses=ANSWERS,
        openapi_extra=json_body(schema_of(service), examples.SERVICE_CALLS[name]),
    )
    def call_service(request: Request, idempotency_key: IdempotencyKey = None) -> Response:
        return done(name, request, idempotency_key)
