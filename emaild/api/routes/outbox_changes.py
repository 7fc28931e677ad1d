"""What is done to mails out: /v1/outbox/{id}/retry, hold and cancel, and the same to all that fit a filter."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from emaild.api import examples
from emaild.api.answers import got, json_body, problems, reference
from emaild.api.context import Context, id_in, json_of
from emaild.api.given import OutboxChosen
from emaild.api.got import ChangedGot, MailOutGot
from emaild.api.json_text import answered
from emaild.api.paths import MailId
from emaild.api.problems import Kind, Problem
from emaild.documents.outbox import one_json
from emaild.errors import NotFound
from emaild.jobs.outbox_changes import ChangeAll, change_one

ONE = {**got(MailOutGot, examples.MAIL_OUT), **problems(404, 409)}
MANY = {**got(ChangedGot, examples.CHANGED), **problems(415)}
CHOSEN = json_body(reference(OutboxChosen), examples.OUTBOX_CHOSEN)


def add_changes(router: APIRouter, context: Context) -> None:
    """The operations."""

    @router.post("/{id}/retry", responses=ONE)
    def retry_mail(request: Request, name: MailId) -> Response:
        """Send it now, or again to those who did not get it; one that is being sent, or sent to all: status 409."""
        return _changed(context, request, name, "retry")

    @router.post("/{id}/hold", responses=ONE)
    def hold_mail(request: Request, name: MailId) -> Response:
        """Do not send it until it is retried; one that does not wait, or is being sent at this moment: status 409."""
        return _changed(context, request, name, "hold")

    @router.post("/{id}/cancel", responses=ONE)
    def cancel_mail(request: Request, name: MailId) -> Response:
        """Send it no more; one that does not wait, or is being sent at this moment: status 409."""
        return _changed(context, request, name, "cancel")

    @router.post("/retry", responses=MANY, openapi_extra=CHOSEN)
    def retry_mails(request: Request) -> Response:
        """Send all that fit now, or again to those who did not get them."""
        return _changed_all(context, request, "retry")

    @router.post("/hold", responses=MANY, openapi_extra=CHOSEN)
    def hold_mails(request: Request) -> Response:
        """Do not send those that fit until they are retried."""
        return _changed_all(context, request, "hold")

    @router.post("/cancel", responses=MANY, openapi_extra=CHOSEN)
    def cancel_mails(request: Request) -> Response:
        """Send those that fit no more."""
        return _changed_all(context, request, "cancel")


def _changed(context: Context, request: Request, name: str, action: str) -> Response:
    try:
        changed = change_one(
            context.store, action, id_in(name, "a mail"), context.clock.now(), client=request.state.client
        )
    except NotFound as error:
        raise missing(name) from error
    return answered(one_json(context.store, changed.entry))


def _changed_all(context: Context, request: Request, action: str) -> Response:
    choice = OutboxChosen.model_validate(json_of(request)).choice
    change = ChangeAll(context.store, action, choice, client=request.state.client)
    change.run(context.clock.now())
    return answered({"changed": change.count, "being_sent": change.being_sent(), "woken": sorted(change.woken)})


def missing(name: str) -> Problem:
    """There is none with that id."""
    return Problem(Kind.NOT_FOUND, f"no mail {name.upper()} in outbox or history")
