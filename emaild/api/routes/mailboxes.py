"""/v1/mailboxes: how each fares, and to have one read now."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from emaild.api import examples
from emaild.api.answers import got, problems
from emaild.api.context import Context
from emaild.api.got import MailboxesGot, MailboxGot
from emaild.api.json_text import answered
from emaild.api.paths import MailboxName
from emaild.api.problems import Kind, Problem
from emaild.documents.mailbox import mailbox_json
from emaild.log import events
from emaild.store.mailboxes import MailboxStatus


def routes(context: Context) -> APIRouter:
    """The operations."""
    router = APIRouter(prefix="/v1/mailboxes", default_response_class=Response, tags=["mailboxes"])

    @router.get("", responses={**got(MailboxesGot, examples.MAILBOXES), **problems()})
    def list_mailboxes() -> Response:
        """All mailboxes, as they were a second ago."""
        return answered({"mailboxes": [mailbox_json(status) for status in context.store.mailboxes.all().values()]})

    @router.get("/{name}", responses={**got(MailboxGot, examples.MAILBOX), **problems(404)})
    def get_mailbox(name: MailboxName) -> Response:
        """One mailbox, by the name of its section."""
        return answered(mailbox_json(_status(context, name)))

    @router.post(
        "/{name}/poll",
        status_code=202,
        responses={
            **got(MailboxGot, examples.MAILBOX, status=202, says="It is read as soon as a worker is free"),
            **problems(404, 409),
        },
    )
    def poll_mailbox(request: Request, name: MailboxName) -> Response:
        """Read it now, also one that failed and waits; one that rests: status 409."""
        status = _status(context, name)
        if not context.poll(status.name):
            raise Problem(Kind.MAILBOX_RESTS, f"the mailbox {status.name} is not read; see enable-client")
        events.mailbox_poll_asked(section=status.name, client=request.state.client)
        return answered(mailbox_json(status), 202)

    return router


def _status(context: Context, name: str) -> MailboxStatus:
    """Also of one that was set up within this second."""
    if name not in context.settings().mailboxes:
        raise Problem(Kind.NOT_FOUND, f"no mailbox {name[:100]}")
    return context.store.mailboxes.all().get(name) or MailboxStatus(name=name, state="waiting")
