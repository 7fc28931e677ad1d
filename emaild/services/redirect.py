"""Redirect: a mail goes as it is to somebody who answers the customer himself.

Source: the objects "Redirect E-mail" of Genesys's routing and "Email Forward", type Redirect, of Composer.
"""

from __future__ import annotations

from datetime import datetime

from emaild.message import Subtype
from emaild.render.people import shown
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.mail import Letter, posted
from emaild.services.office import Office, Plan
from emaild.services.order import Order
from emaild.services.people import people_of, writer_of
from emaild.services.sender import sender_of
from emaild.services.wording import subject_of
from emaild.settings.services import RedirectParameters


def plan(parameters: RedirectParameters, office: Office, now: datetime) -> Plan:
    """The mail itself under a new header, answers to which go to the customer; see `services.call.planned`."""
    about = office.mail_in(parameters.interaction_id, parameters.kind.name)
    if about.facts.wrapped:
        raise ServiceFault(
            FaultKind.WRONG_INTERACTION, f"the mail {about.id} cannot be passed on as it is: {about.facts.wrapped}"
        )
    order = Order(parameters=parameters, office=office, now=now, about=about)
    sender = sender_of(parameters.from_, "", about, office)
    customer = shown(writer_of(about.facts))
    letter = Letter(
        subtype=Subtype.OUTBOUND_REDIRECT,
        sender=sender,
        people=people_of(parameters, sender.writing),
        subject=subject_of(order, "", "", about.facts),
        headers=(("Reply-To", customer),) if customer else (),
        original=office.raw(about),
    )
    return posted(order, letter)
