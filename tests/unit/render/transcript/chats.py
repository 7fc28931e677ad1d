"""Chats as a chat server writes them down, made of their events."""

from __future__ import annotations

from itertools import count
from xml.sax.saxutils import escape, quoteattr

from emaild.render.transcript import Transcript, read

STARTED = "2024-03-05T07:09:33Z"


def chat(*events: str, started: str = STARTED) -> str:
    """A transcript of these events; each gets its number where it says `eventId=?`."""
    numbers = count(1)
    body = "".join(event.replace("eventId=?", f'eventId="{next(numbers)}"') for event in events)
    return f'<?xml version="1.0"?>\n<chatTranscript startAt="{started}" sessionId="0001">{body}</chatTranscript>'


def seen(*events: str, subject: str = "") -> Transcript:
    """What a customer may see of them."""
    return read(chat(*events), subject=subject)


def event(name: str, body: str, *, user: str = "c", shift: object = 0, visibility: str = "ALL") -> str:
    head = f"userId={quoteattr(user)} timeShift={quoteattr(str(shift))} visibility={quoteattr(visibility)} eventId=?"
    return f"<{name} {head}>{body}</{name}>"


def items(name: str = "userData", **values: str) -> str:
    lines = (f'<item key="{key.replace("_", "-")}" type="string">{escape(text)}</item>' for key, text in values.items())
    return f"<{name}>{''.join(lines)}</{name}>"


def joins(
    nick: str = "Ann",
    kind: str = "CLIENT",
    more: str = "",
    *,
    user: str = "c",
    zone: str = "0",
    shift: object = 0,
    visibility: str = "ALL",
) -> str:
    info = f'<userInfo personId="" userNick={quoteattr(nick)} userType="{kind}" timeZoneOffset={quoteattr(zone)}/>'
    return event("newParty", info + more, user=user, shift=shift, visibility=visibility)


def says(text: str, *, user: str = "c", shift: object = 0, visibility: str = "ALL", attributes: str = "") -> str:
    body = f"<msgText {attributes}>{escape(text)}</msgText>"
    return event("message", body, user=user, shift=shift, visibility=visibility)


def notes(kind: str, text: str, more: str = "", *, user: str = "c", shift: object = 0, visibility: str = "ALL") -> str:
    body = f'<noticeText noticeType="{kind}">{escape(text)}</noticeText>{more}'
    return event("notice", body, user=user, shift=shift, visibility=visibility)


def leaves(code: str = "", *, user: str = "c", asker: str = "c", shift: object = 0, text: str = "left") -> str:
    reason = f'<reason code="{code}">{text}</reason>' if code else f"<reason>{text}</reason>"
    return event("partyLeft", reason, user=user, shift=shift).replace("<partyLeft ", f'<partyLeft askerId="{asker}" ')


def said(transcript: Transcript) -> list[str]:
    """The texts of the messages."""
    return [entry.text for entry in transcript.entries if entry.kind == "MESSAGE"]
