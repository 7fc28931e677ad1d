"""ChatTranscript: the customer who chatted is sent what was said.

Source: the guide, "Chat Transcripts"; the objects "Chat Transcript" of Genesys's routing and of Composer.
"""

from __future__ import annotations

from datetime import datetime

from emaild.log import events
from emaild.message import Interaction, Subtype
from emaild.render.transcript import Transcript, TranscriptUnreadable, read
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.guards import GENERATED
from emaild.services.mail import Letter, posted
from emaild.services.office import Office, Plan
from emaild.services.order import Order
from emaild.services.people import People, people_of, usable
from emaild.services.sender import sender_of
from emaild.services.wording import subject_of, with_original, wording
from emaild.settings.services import ChatTranscriptParameters


def plan(parameters: ChatTranscriptParameters, office: Office, now: datetime) -> Plan:
    """The transcript inside a standard response, to To or the address that the client gave in the chat.

    See `services.call.planned`.
    """
    name = parameters.interaction_id
    about = office.with_texts(office.interaction(name)) if name else None
    chat = _chat(parameters, about)
    order = Order(parameters=parameters, office=office, now=now, about=about, client=chat.client)
    words = wording(order, chat=chat)
    sender = sender_of(parameters.from_, words.sender, about, office)
    client = usable([chat.client.get("EmailAddress", "")])
    letter = Letter(
        subtype=Subtype.OUTBOUND_NEW if about is None else Subtype.OUTBOUND_REPLY,
        sender=sender,
        people=people_of(parameters, sender.writing, others=People(to=client), never=office.own_addresses),
        subject=subject_of(order, words.subject or chat.subject, ""),
        words=with_original(words, order, about.facts) if about else words,
        headers=GENERATED,
    )
    return posted(order, letter)


def _chat(parameters: ChatTranscriptParameters, about: Interaction | None) -> Transcript:
    """What was said.

    Raises:
        ServiceFault: transcript-unreadable; it is logged, too, under Genesys's number.
    """
    try:
        return read(parameters.chat, subject=about.facts.subject if about else "")
    except TranscriptUnreadable as error:
        events.transcript_unreadable(
            response=parameters.srl_id, reason=str(error), interaction=about.id if about else None
        )
        raise ServiceFault(FaultKind.TRANSCRIPT_UNREADABLE, str(error), "Chat") from None
