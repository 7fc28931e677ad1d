"""/v1/outbox: mails on their way out, and those that are done with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from emaild.api import examples
from emaild.api.answers import file_got, got, json_body, problems, reference
from emaild.api.callers import caller_of
from emaild.api.context import JSON, Context, body_of, id_in, json_of, media_type
from emaild.api.downloads import download
from emaild.api.given import FinishedMailQuery, MailGiven, OutboxQuery
from emaild.api.got import LoggedMailOutGot, MailTakenGot, OutboxGot
from emaild.api.json_text import answered
from emaild.api.mail_given import Writer
from emaild.api.paths import MailId
from emaild.api.problems import Kind, Problem
from emaild.api.repeated import Asked, IdempotencyKey, asked_by
from emaild.api.routes.outbox_changes import add_changes, missing
from emaild.documents.outbox import listed_json, logged_json
from emaild.errors import NotFound
from emaild.log import events
from emaild.message import Outbound
from emaild.services.office import Office
from emaild.store.writes import Request as Repeatable
from emaild.store.writes import Writes

MAIL = "message/rfc822"
BODIES = json_body(reference(MailGiven), examples.MAIL)
BODIES["requestBody"]["content"][MAIL] = {
    "schema": {"type": "string", "format": "binary"},
    "example": examples.FINISHED_MAIL,
}


def routes(context: Context) -> APIRouter:
    """The operations."""
    router = APIRouter(prefix="/v1/outbox", default_response_class=Response, tags=["outbox"])
    outbox = context.store.outbox

    @router.get("", responses={**got(OutboxGot, examples.OUTBOX), **problems()})
    def list_outbox(asked: Annotated[OutboxQuery, Query()]) -> Response:
        """Mails out in the order of their ids; to see the next ones ask for `after` = `next`."""
        found = outbox.chosen(asked.choice, after=asked.after.upper(), most=asked.limit)
        following = found[-1].id if found else asked.after
        return answered({"outbox": [document for _, document in listed_json(context.store, found)], "next": following})

    @router.post(
        "",
        status_code=201,
        responses={
            **got(MailTakenGot, examples.MAIL_TAKEN, status=201, says="It will be sent"),
            **got(MailTakenGot, examples.MAIL_TAKEN, says="The same request came before: nothing is done again"),
            **problems(409, 415),
        },
        openapi_extra=BODIES,
    )
    def send_mail(
        request: Request,
        recipients: Annotated[FinishedMailQuery, Query()],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Send a mail: written from JSON, or a finished one as message/rfc822.

        What the query says counts for a finished mail. When this answers, the mail will be sent, whatever happens.
        """
        asked = asked_by(request, idempotency_key)
        before = asked.before(context.store) if asked else None
        if before is not None:
            return answered(before)
        return _queued(context, _mail(context, request, recipients), asked, request.state.client)

    @router.get("/{id}", responses={**got(LoggedMailOutGot, examples.LOGGED_MAIL_OUT), **problems(404)})
    def get_mail_out(name: MailId) -> Response:
        """One mail out, with all tries, what their failure means, and what to do."""
        try:
            entry, log = outbox.get(id_in(name, "a mail"))
        except NotFound as error:
            raise missing(name) from error
        return answered(logged_json(entry, log, outbox.raw(entry), context.store.ways_out.all()))

    @router.get("/{id}/raw", responses={**file_got(MAIL, "The mail"), **problems(404)})
    def get_raw_mail_out(request: Request, name: MailId) -> Response:
        """The mail as it is sent."""
        try:
            entry, _ = outbox.get(id_in(name, "a mail"))
        except NotFound as error:
            raise missing(name) from error
        return download(request, outbox.raw(entry), f"{entry.id}.eml", MAIL)

    add_changes(router, context)
    return router


def _mail(context: Context, request: Request, recipients: FinishedMailQuery) -> Outbound:
    settings = context.settings()

    def writer(interactive: bool | None) -> Writer:
        caller = caller_of(settings, request.state.client, interactive)
        return Writer(Office(settings=settings, store=context.store, caller=caller), context.clock.now())

    kind = media_type(request)
    if kind == MAIL:
        return writer(recipients.interactive).finished(body_of(request), recipients)
    if kind != JSON:
        raise Problem(Kind.MEDIA_TYPE, f"expected Content-Type: {JSON} or {MAIL}")
    if recipients != FinishedMailQuery():
        raise Problem(Kind.WRONG_REQUEST, f"the query is for {MAIL}; in JSON the body says all")
    given = MailGiven.model_validate(json_of(request))
    return writer(given.interactive).written(given)


def _queued(context: Context, mail: Outbound, asked: Asked | None, client: str) -> Response:
    document: Mapping[str, Any] = {
        "id": mail.id,
        "message_id": mail.message_id,
        "way_out": mail.way_out,
        "sender": mail.sender,
        "recipients": list(mail.recipients),
    }
    repeatable = Repeatable(key=asked.key, digest=asked.digest, answer=document) if asked else None
    said = context.store.writing.commit(Writes(queued=(mail,)), context.clock.now(), asked=repeatable) or document
    if said["id"] != mail.id:  # the same request came at the same time
        return answered(said)
    events.outbound_queued(
        section=mail.way_out,
        outbound=mail.id,
        message_id=mail.message_id,
        recipients=len(mail.recipients),
        client=client,
    )
    return answered(document, 201, {"Location": f"/v1/outbox/{mail.id}"})
