"""A mail that a service has written -> an interaction in a queue, or on its way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from emaild.errors import InputError
from emaild.jobs.outgoing import TooBig, outgoing
from emaild.log import events
from emaild.message import OUTBOUND, Envelope, Facts, Interaction, InteractionState, Outbound, Subtype
from emaild.mime.view import facts
from emaild.render.compose import Composed, Draft, Enclosed, compose
from emaild.render.forbidden import forbidden_headers
from emaild.render.passing_on import redirected
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.office import Office, Plan
from emaild.services.order import Order
from emaild.services.people import People
from emaild.services.sender import Sender
from emaild.services.wording import NOTHING, Wording
from emaild.settings.option import same_name
from emaild.settings.services import SEND, MailParameters
from emaild.settings.way_out import WayOutSection
from emaild.store.raw import digest
from emaild.store.writes import Change, NewMail, Writes

MOST_REFERENCES = 20  # the first, which began the thread, stands before them
LONGEST_QUEUE = 200  # characters
MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,900}>")
EXTERNAL_REPLY = "ExternalReplyId"  # user data of a reply to a customer: the external resource's mail that it passes on
GIVEN_FIRST = ("reply-to",)  # fields of ours that a caller may replace


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What a service has written.

    `original` is a mail that is passed on as it is. Without `interaction` the letter becomes none, and is in the outbox
    only. `changes` and `needs` go into the same commit.
    """

    subtype: Subtype
    sender: Sender
    people: People
    subject: str
    words: Wording = NOTHING
    headers: tuple[tuple[str, str], ...] = ()
    attachments: tuple[Enclosed, ...] = ()
    original: bytes | None = field(default=None, repr=False)
    user_data: Mapping[str, str] = field(default_factory=dict)
    interaction: bool = True
    changes: tuple[Change, ...] = ()
    needs: tuple[str, ...] = ()


def posted(order: Order[MailParameters], letter: Letter) -> Plan:
    """The plan that makes an interaction of it, in the queue that the caller names; for `send` on its way out.

    Raises:
        ServiceFault: wrong-parameter, forbidden-header, wrong-address.
    """
    parameters, about = order.parameters, order.about
    queue = queue_of(parameters)
    thread = about if about is not None and not parameters.do_not_thread else None
    thread_id = thread.thread_id if thread else order.name
    mail = _composed(order, letter, answered(thread.facts) if thread else ())
    out = queue == SEND
    entry = Interaction(
        id=order.name,
        type=OUTBOUND,
        subtype=letter.subtype,
        mailbox=about.mailbox if about else "",
        received=order.now,
        queue=queue,
        thread_id=thread_id,
        raw_digest=digest(mail.raw),
        facts=facts(mail.raw, processing=order.office.settings.processing),
        user_data={**parameters.attached_data, **letter.user_data},
        parent_id=about.id if about is not None and parameters.associate_new_interaction else None,
        state=InteractionState.STOPPED if out else InteractionState.NEW,
        envelope=Envelope(sender=mail.sender, recipients=mail.recipients),
    )
    subtype: str = letter.subtype if letter.interaction else ""
    sent = into_outbox(mail, letter.sender.way, order.office, order.now, name=order.name, thread_id=thread_id)
    needs = (*letter.needs, *((about.id,) if about is not None and about.id not in letter.needs else ()))
    writes = Writes(
        created=(NewMail(interaction=entry, raw=mail.raw),) if letter.interaction else (),
        queued=(replace(sent, subtype=subtype),) if out else (),
        changes=letter.changes,
        needs=needs,
    )
    result = {
        "method": parameters.kind.name,
        "interaction_id": order.name if letter.interaction else None,
        "outbox_id": order.name if out else None,
        "queue": queue,
        "subtype": letter.subtype.value,
        "message_id": mail.message_id,
        "thread_id": thread_id,
        "parent_id": entry.parent_id,
    }
    return Plan(writes=writes, result=result, say=_saying(order, letter, result))


def queue_of(parameters: MailParameters) -> str:
    """The queue for the new interaction.

    Raises:
        ServiceFault: wrong-parameter; no queue can be called that.
    """
    queue = parameters.queue.strip() or SEND
    if same_name(queue) == same_name(SEND):
        return SEND
    if len(queue) > LONGEST_QUEUE or not queue.isprintable():
        raise ServiceFault(
            FaultKind.WRONG_PARAMETER, f"Queue: expected a name of at most {LONGEST_QUEUE} characters", "Queue"
        )
    return queue


def closed(customers: str, office: Office) -> tuple[Change, ...]:
    """The end of the customer's mail, now that an external resource's reply goes out, where the options ask for it."""
    closes = office.settings.processing.enable_stop_initial_emailin_after_extreply
    return (Change(id=customers, state=InteractionState.STOPPED),) if closes else ()


def into_outbox(
    mail: Composed, way: WayOutSection, office: Office, now: datetime, *, name: str, thread_id: str
) -> Outbound:
    """The mail for the outbox, with the id of its interaction, and bcc-address among its recipients.

    Raises:
        ServiceFault: too-big, wrong-address.
    """
    processing = office.settings.processing
    known = {address.lower() for address in mail.recipients}
    copies = dict.fromkeys(address for address in processing.bcc_address if address.lower() not in known)
    try:
        sent = outgoing(replace(mail, recipients=(*mail.recipients, *copies)), way, processing, now, office.caller)
    except InputError as error:
        kind = FaultKind.TOO_BIG if isinstance(error, TooBig) else FaultKind.WRONG_ADDRESS
        raise ServiceFault(kind, str(error)) from None
    return replace(sent, id=name, thread_id=thread_id)


def answered(said: Facts) -> tuple[tuple[str, str], ...]:
    """The fields by which an answer to that mail names it, and what that one answers (RFC 5322 §3.6.4)."""
    before = said.references or ((said.in_reply_to,) if said.in_reply_to else ())
    if said.message_id is None or not MESSAGE_ID.fullmatch(said.message_id):
        return ()
    names = [name for name in before if MESSAGE_ID.fullmatch(name) and name != said.message_id]
    names = [*names[:1], *names[1:][-(MOST_REFERENCES - 1) :], said.message_id]
    return (("In-Reply-To", said.message_id), ("References", " ".join(names)))


def _composed(order: Order[MailParameters], letter: Letter, threading: tuple[tuple[str, str], ...]) -> Composed:
    processing, sender = order.office.settings.processing, letter.sender
    draft = Draft(
        sender=sender.shown,
        to=tuple(one.shown for one in letter.people.to),
        cc=tuple(one.shown for one in letter.people.cc),
        bcc=tuple(one.shown for one in letter.people.bcc),
        subject=letter.subject,
        text=letter.words.text,
        html=letter.words.html,
        headers=(*threading, *_headers(order, letter.headers)),
        attachments=(*letter.words.attachments, *letter.attachments),
    )
    make = compose if letter.original is None else partial(redirected, letter.original)
    try:
        return make(
            draft,
            now=order.now,
            domain=processing.default_domain,
            name=order.name,
            writing=sender.writing,
            charset=processing.outbound_msg_charset,
        )
    except InputError as error:
        raise ServiceFault(FaultKind.WRONG_ADDRESS, str(error)) from None


def _headers(order: Order[MailParameters], own: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """The service's own fields, and those that the caller gives.

    Raises:
        ServiceFault: forbidden-header; what is refused is not left out in silence.
    """
    given = order.parameters.headers
    try:
        forbidden = forbidden_headers(order.office.folders) if given else None
    except InputError as error:
        raise ServiceFault(FaultKind.FORBIDDEN_HEADER, str(error)) from None
    ours = {name.lower() for name, _ in own}.difference(GIVEN_FIRST) | {"in-reply-to", "references"}
    for name, value in given.items():
        wrong = forbidden.wrong_with(name, value) if forbidden else ""
        if name.lower() in ours:
            wrong = wrong or f"the header field {name} is made by the service"
        if wrong:
            raise ServiceFault(FaultKind.FORBIDDEN_HEADER, wrong, f"Headers.{name}")
    named = {name.lower() for name in given}
    return [*(one for one in own if one[0].lower() not in named), *given.items()]


def _saying(order: Order[MailParameters], letter: Letter, result: Mapping[str, object]) -> Callable[[], None]:
    def say() -> None:
        response = getattr(order.parameters, "srl_id", "") or "Text"
        for notice in letter.words.notices:
            events.transcript_bad_timestamp(
                response=response, pattern=notice.pattern, reason=notice.reason, interaction=order.name
            )
        done(result, order.about)

    return say


def done(result: Mapping[str, object], about: Interaction | None) -> None:
    """Log that a service was done."""
    events.service_done(
        method=str(result["method"]),
        interaction=about.id if about else "",
        created=str(result["interaction_id"] or ""),
        outbound=str(result["outbox_id"] or ""),
        queue=str(result["queue"]),
    )
