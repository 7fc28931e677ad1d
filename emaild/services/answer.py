"""What the services that answer a mail without a person have in common."""

from __future__ import annotations

from datetime import datetime

from emaild.message import Subtype
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
    others = People(to=writer_of(about.facts))
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
