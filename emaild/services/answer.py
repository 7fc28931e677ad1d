"""What the services that answer a mail without a person have in common."""

from __future__ import annotations

from datetime import datetime

from emaild.message import Facts, Subtype
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.guards import ANSWER, answerable
from emaild.services.mail import Letter, posted
from emaild.services.office import Office, Plan
from emaild.services.order import Order
from emaild.services.people import People, all_of, people_of, writer_of
from emaild.services.sender import sender_of
from emaild.services.wording import subject_of, with_original, wording
from emaild.settings.services import TextParameters


def automatic_answer(
    parameters: TextParameters, office: Office, now: datetime, subtype: Subtype, *, to_all: bool = False
) -> Plan:
    """The answer to the one who wrote, or to all.

    Raises:
        ServiceFault: as `services.call.planned`.
    """
    about = office.mail_in(parameters.interaction_id, parameters.kind.name)
    answerable(about, office, now)
    order = Order(parameters=parameters, office=office, now=now, about=about)
    words = wording(order)
    sender = sender_of(parameters.from_, words.sender, about, office)
    own = office.own_addresses
    others = People(to=writer_of(about.facts, own)[:1])
    if not parameters.to.strip() and not any(one.address.lower() not in own for one in others.to):
        raise ServiceFault(FaultKind.NOBODY_TO_ANSWER, _nobody(about.facts, ours=bool(others.to)))
    if to_all and not parameters.to.strip():
        others = all_of(about.facts, office.session(about), {sender.address.lower()})
    letter = Letter(
        subtype=subtype,
        sender=sender,
        people=people_of(parameters, sender.writing, others=others, never=own),
        subject=subject_of(order, words.subject, office.settings.processing.subject_reply_prefix, about.facts),
        words=with_original(words, order, about.facts),
        headers=ANSWER,
    )
    return posted(order, letter)


def _nobody(said: Facts, *, ours: bool) -> str:
    if ours:
        return "the answer would go to ourselves"
    if not said.sender:
        return "the mail names no sender"
    if not said.sender.isascii():
        return f"{said.sender!r} is an address beyond ASCII (RFC 6531), to which emaild writes no mail"
    return f"{said.sender!r} is no address that an answer could go to"
