"""ReplyFromExtResource: what an external resource answered goes on to the customer, inside a standard response.

Source: the guide, "Customizing the Format of External Resource E-mails"; the objects "Reply E-mail from External
Resource" of Genesys's routing and "Email Forward", type Reply to Customer, of Composer.
"""

from __future__ import annotations

from datetime import datetime

from emaild.message import Interaction, Subtype
from emaild.mime.automatic import answers
from emaild.render.response import ExtReply
from emaild.services.enclosures import enclosures
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.mail import EXTERNAL_REPLY, Letter, closed, posted, queue_of
from emaild.services.office import Office, Plan
from emaild.services.order import Order
from emaild.services.people import People, people_of, writer_of
from emaild.services.sender import sender_of
from emaild.services.wording import subject_of, with_original, without_tokens, wording
from emaild.settings.services import SEND, ReplyFromExtResourceParameters


def plan(parameters: ReplyFromExtResourceParameters, office: Office, now: datetime) -> Plan:
    """A reply to the customer, in the thread of the customer's mail; see `services.call.planned`."""
    processing = office.settings.processing
    answer = office.mail_in(parameters.interaction_id, parameters.kind.name)
    forward = _forward(answer, office)
    customers = office.with_texts(_parent(forward, office))
    if answer.facts.report or answers(answer.facts):
        raise ServiceFault(FaultKind.AUTOMATIC_MAIL, f"the mail {answer.id} is automatic; it answers nothing")
    order = Order(parameters=parameters, office=office, now=now, about=customers)
    words = wording(order, reply=_reply(answer), must=False)
    sender = sender_of(parameters.from_, words.sender, customers, office)
    letter = Letter(
        subtype=Subtype.OUTBOUND_REPLY,
        sender=sender,
        people=people_of(parameters, sender.writing, others=People(to=writer_of(customers.facts))),
        subject=subject_of(order, words.subject, processing.subject_reply_prefix, customers.facts),
        words=with_original(words, order, customers.facts),
        attachments=enclosures(office.raw(answer), office.reading(answer), processing),
        user_data={EXTERNAL_REPLY: answer.id},
        changes=closed(customers.id, office) if queue_of(parameters) == SEND else (),
        needs=(answer.id, forward.id, customers.id),
    )
    return posted(order, letter)


def _forward(answer: Interaction, office: Office) -> Interaction:
    """The mail of ours that it answers."""
    forward = _parent(answer, office) if answer.parent_id else None
    if forward is None or forward.subtype != Subtype.OUTBOUND_FORWARD:
        raise ServiceFault(
            FaultKind.NOT_FROM_EXT_RESOURCE, f"the mail {answer.id} answers no mail that was forwarded", "InteractionId"
        )
    return forward


def _parent(entry: Interaction, office: Office) -> Interaction:
    try:
        return office.interaction(entry.parent_id or "")
    except ServiceFault:
        parent = f"its parent {entry.parent_id}" if entry.parent_id else "what it was made for"
        raise ServiceFault(
            FaultKind.PARENT_GONE, f"{parent} is gone, for which the interaction {entry.id} was made"
        ) from None


def _reply(answer: Interaction) -> ExtReply:
    """What was written anew. As HTML only where the mail quotes nothing: what it quotes is known in its text alone."""
    said = answer.facts
    html = said.html if not said.quoted.strip() else ""
    return ExtReply(text=without_tokens(said.reply), html=without_tokens(html))
