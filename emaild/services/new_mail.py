"""What the services that write a new mail, to somebody whom To names, have in common."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from emaild.message import Subtype
from emaild.services.mail import Letter
from emaild.services.office import Office
from emaild.services.order import Order
from emaild.services.people import people_of
from emaild.services.sender import sender_of
from emaild.services.wording import subject_of, with_original, wording
from emaild.settings.services import TextParameters


def new_mail(
    parameters: TextParameters,
    office: Office,
    now: datetime,
    subtype: Subtype,
    *,
    about: str,
    never: Collection[str] = (),
) -> tuple[Order[TextParameters], Letter]:
    """The mail, about the interaction with the id *about* where one is given; it goes to nobody of *never*.

    Raises:
        ServiceFault: as `services.call.planned`.
    """
    entry = office.with_texts(office.interaction(about)) if about else None
    order = Order(parameters=parameters, office=office, now=now, about=entry)
    words = wording(order)
    sender = sender_of(parameters.from_, words.sender, entry, office)
    said = entry.facts if entry else None
    letter = Letter(
        subtype=subtype,
        sender=sender,
        people=people_of(parameters, sender.writing, never=never),
        subject=subject_of(order, words.subject, office.settings.processing.subject_reply_prefix, said),
        words=with_original(words, order, said) if said else words,
    )
    return order, letter
