"""Forward: a mail goes to an external resource that is to answer us.

Source: the objects "Forward E-mail" of Genesys's routing and "Email Forward", type Forward, of Composer.
"""

from __future__ import annotations

from datetime import datetime

from emaild.message import Subtype, token
from emaild.services.enclosures import enclosures
from emaild.services.mail import Letter, posted
from emaild.services.office import Office, Plan
from emaild.services.order import Order
from emaild.services.people import people_of
from emaild.services.sender import sender_of
from emaild.services.wording import subject_of, with_original, wording
from emaild.settings.services import ForwardParameters

LONGEST_SUBJECT = 230  # characters before our mark; mail programs stop at 255


def plan(parameters: ForwardParameters, office: Office, now: datetime) -> Plan:
    """A mail to To, by which its answer is found again; see `services.call.planned`.

    Its subject ends with our mark, for answers that name no mail; they come to ext-resource-incoming-address.
    """
    processing = office.settings.processing
    about = office.mail_in(parameters.interaction_id, parameters.kind.name)
    order = Order(parameters=parameters, office=office, now=now, about=about)
    words = wording(order, must=False)
    sender = sender_of(parameters.from_, words.sender, about, office)
    subject = subject_of(order, words.subject, processing.subject_forward_prefix, about.facts)
    reply_to = processing.ext_resource_incoming_address
    letter = Letter(
        subtype=Subtype.OUTBOUND_FORWARD,
        sender=sender,
        people=people_of(parameters, sender.writing),
        subject=marked(subject, order.name),
        words=with_original(words, order, about.facts),
        headers=(("Reply-To", reply_to),) if reply_to else (),
        attachments=enclosures(office.raw(about), office.reading(about), processing)
        if parameters.include_original_message
        else (),
    )
    return posted(order, letter)


def marked(subject: str, name: str) -> str:
    """The subject with the mark of the mail with that id at its end."""
    return f"{subject[:LONGEST_SUBJECT].rstrip()} {token(name)}".lstrip()
