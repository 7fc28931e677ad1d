"""/v1/interactions: what came in and what we wrote, for programs that work with it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from emaild.api import examples
from emaild.api.answers import file_got, got, json_body, problems, reference
from emaild.api.arrivals import Arrivals
from emaild.api.context import Context, id_in, json_of
from emaild.api.downloads import download
from emaild.api.given import InteractionChange, InteractionQuery
from emaild.api.got import FullInteractionGot, InteractionGot, InteractionsGot
from emaild.api.json_text import answered
from emaild.api.paths import FileNumber, InteractionId
from emaild.api.problems import Kind, Problem
from emaild.documents.interaction import stored_json
from emaild.errors import NotFound
from emaild.jobs.texts import with_texts
from emaild.log import events
from emaild.message import Interaction
from emaild.mime.files import files
from emaild.settings.option import same_name
from emaild.settings.properties import MimeProperties
from emaild.settings.services import SEND
from emaild.store.interactions import Chosen
from emaild.store.writes import Change, Writes

NUMBER = re.compile("0|[1-9][0-9]{0,5}")
FILTERS = ("queue", "state", "mailbox", "type", "subtype", "thread_id", "parent_id")
LONGEST_LOOK = 2.0  # seconds after which it is seen that a program which waits went away


def routes(context: Context, arrivals: Arrivals) -> APIRouter:
    """The operations."""
    router = APIRouter(prefix="/v1/interactions", default_response_class=Response, tags=["interactions"])

    @router.get("", responses={**got(InteractionsGot, examples.INTERACTIONS), **problems()})
    async def list_interactions(request: Request, asked: Annotated[InteractionQuery, Query()]) -> Response:
        """Interactions that have all these values, in the order of their numbers; with `wait` a long poll.

        To see each once, ask for `after` = `next` of the answer before. To work off a queue, ask for its NEW ones
        with `after=0`, and claim each with PATCH.
        """
        return answered(await _awaited(context, arrivals, request, asked))

    @router.get("/{id}", responses={**got(FullInteractionGot, examples.FULL_INTERACTION), **problems(404)})
    def get_interaction(name: InteractionId) -> Response:
        """One interaction with its texts."""
        entry = with_texts(context.store, context.settings(), _entry(context, name))
        return answered(stored_json(entry, full=True))

    @router.patch(
        "/{id}",
        responses={**got(InteractionGot, examples.INTERACTION), **problems(404, 409, 415)},
        openapi_extra=json_body(reference(InteractionChange), examples.CHANGE),
    )
    def change_interaction(request: Request, name: InteractionId) -> Response:
        """Another queue or state. With `if_state` another program that was quicker is seen: status 409."""
        wanted = InteractionChange.model_validate(json_of(request))
        if wanted.queue is not None and same_name(wanted.queue) == SEND:
            raise Problem(Kind.WRONG_REQUEST, f"the queue {SEND} is ours; to send a mail, call the service Send")
        entry = _entry(context, name)
        change = Change(id=entry.id, queue=wanted.queue, state=wanted.state, if_states=wanted.if_states)
        context.store.writing.commit(Writes(changes=(change,)), context.clock.now())
        entry = replace(entry, queue=wanted.queue or entry.queue, state=wanted.state or entry.state)
        events.interaction_changed(
            interaction=entry.id, queue=entry.queue, state=entry.state, client=request.state.client
        )
        arrivals.changed()
        return answered(stored_json(entry, full=False))

    @router.get("/{id}/raw", responses={**file_got("message/rfc822", "The mail"), **problems(404)})
    def get_raw_interaction(request: Request, name: InteractionId) -> Response:
        """The mail, byte for byte as its server gave it."""
        entry = _entry(context, name)
        return download(request, context.store.interactions.raw(entry), f"{entry.id}.eml", "message/rfc822")

    @router.get("/{id}/attachments/{number}", responses={**file_got("*/*", "What the file holds"), **problems(404)})
    def get_attachment(request: Request, name: InteractionId, number: FileNumber) -> Response:
        """A file of the mail: `number` counts the interaction's attachments from 0."""
        entry = _entry(context, name)
        there = len(entry.facts.attachments)
        if not NUMBER.fullmatch(number) or int(number) >= there:
            raise Problem(Kind.NOT_FOUND, f"the interaction has {there} attachments; they count from 0")
        return _attachment(request, context, entry, int(number))

    return router


async def _awaited(
    context: Context, arrivals: Arrivals, request: Request, asked: InteractionQuery
) -> dict[str, object]:
    """What there is; where there is nothing, what comes within the time."""
    time = context.clock.monotonic
    until = time() + min(asked.wait, context.section().longest_wait)
    while True:
        coming = arrivals.next()
        document = await run_in_threadpool(_page, context, asked)
        while not coming.is_set():
            left = until - time()
            if document["interactions"] or left <= 0 or arrivals.ended or await request.is_disconnected():
                return document
            await arrivals.wait(coming, min(left, LONGEST_LOOK))


def _page(context: Context, asked: InteractionQuery) -> dict[str, object]:
    kept = context.store.interactions
    last = kept.last_number()  # looked at first: all up to this one are seen by the query that follows
    chosen = Chosen(**{name: value for name in FILTERS if (value := getattr(asked, name))})
    found = kept.submitted(chosen, asked.after, asked.limit)
    full = len(found) == asked.limit
    numbers = [entry.number for entry in found if entry.number is not None]
    following = numbers[-1] if full else max([asked.after, last, *numbers])
    return {"interactions": [stored_json(entry, full=False) for entry in found], "next": following}


def _entry(context: Context, name: str) -> Interaction:
    """One that programs may see."""
    name = id_in(name, "an interaction")
    try:
        entry = context.store.interactions.get(name)
    except NotFound:
        entry = None
    if entry is None or entry.number is None:
        raise Problem(Kind.NOT_FOUND, f"no interaction {name}")
    return entry


def _attachment(request: Request, context: Context, entry: Interaction, number: int) -> Response:
    raw, said = context.store.interactions.raw(entry), entry.facts.attachments[number]
    if entry.facts.wrapped:  # the mail itself is its only attachment
        return download(request, raw, said.name, said.content_type)
    settings = context.settings()
    section = settings.mailboxes.get(entry.mailbox)
    found = files(raw, section.mime if section else MimeProperties(), settings.processing)
    if number >= len(found):  # its mailbox is read in another way now
        raise Problem(Kind.NOT_FOUND, f"the mail has {len(found)} attachments")
    file, content = found[number]
    return download(request, content, file.name, file.content_type)
