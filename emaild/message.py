"""What flows through emaild: a mail in, the interaction it becomes, a mail out, and what became of it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ID_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ID_TICK = timedelta(microseconds=10)
ID_TIME_DIGITS = 10  # 36**10 ticks last until the year 3128
ID_RANDOM_DIGITS = 6  # 31 bits: a clash needs thousands of ids in one tick, and is refused by the store


def new_id(now: datetime) -> str:
    """An id of sixteen digits and capitals, as Genesys ids look; ids sort by the time they were made."""
    number = (now - EPOCH) // ID_TICK
    digits = ""
    for _ in range(ID_TIME_DIGITS):
        number, digit = divmod(number, 36)
        digits = ID_DIGITS[digit] + digits
    return digits + "".join(secrets.choice(ID_DIGITS) for _ in range(ID_RANDOM_DIGITS))


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """One mail as it was taken from a mailbox.

    `key` names it on its server for as long as it lies there; `raw` is never changed again. `received` is when
    the server says that it arrived, None where the protocol does not tell.
    """

    key: str
    raw: bytes = field(repr=False)
    received: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A part of a mail that is a file; `size` in bytes, decoded."""

    name: str
    content_type: str
    size: int
    content_id: str | None = None
    inline: bool = False


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a mail says, read from its bytes. Whatever a broken mail does not say is empty."""

    subject: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    date: datetime | None = None
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()


class InteractionState(StrEnum):
    """Where an interaction stands (Genesys Context Services: status 0 to 3)."""

    NEW = "NEW"
    PENDING = "PENDING"
    IN_PROCESS = "IN_PROCESS"
    STOPPED = "STOPPED"


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """A mail that programs can work with. `raw_digest` finds its bytes in the store."""

    id: str
    type: str
    subtype: str
    mailbox: str
    received: datetime
    queue: str
    thread_id: str
    raw_digest: str
    facts: Facts
    parent_id: str | None = None
    state: InteractionState = InteractionState.NEW


class RecipientState(StrEnum):
    """What is known of one recipient of a mail out."""

    WAITING = "WAITING"
    SENT = "SENT"
    FAILED = "FAILED"


class OutboundState(StrEnum):
    """Where a mail stands on its way out. The first two are in the outbox, the others in the history."""

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    SENT = "SENT"
    PARTLY_SENT = "PARTLY_SENT"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, kw_only=True)
class Outbound:
    """A mail to be sent: `sender` and `recipients` are the envelope (RFC 5321 §2.3.1), `raw` has CRLF line ends."""

    id: str
    way_out: str
    sender: str
    recipients: tuple[str, ...]
    message_id: str
    raw: bytes = field(repr=False)
    attempts: int = 0


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a server answered for one recipient: a state of WAITING means that it is to be tried again."""

    address: str
    state: RecipientState
    code: str
    text: str
