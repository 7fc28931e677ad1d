"""What flows through emaild: a mail in, the interaction it becomes, a mail out, and what became of it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ID_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ID_TICK = timedelta(microseconds=10)
ID_CHANCES = 36**6  # 31 bits: a clash needs thousands of ids in one tick, and is refused by the store
ID_LENGTH = 16  # ten digits for the time: 36**10 ticks last until the year 3128
ENHANCED_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")
TOKEN = re.compile(r"\[#([0-9A-Z]{16})\]")
"""Our own mark in a subject: an answer to a mail that carries it belongs to the thread of the mail with that id."""


def new_id(now: datetime) -> str:
    """An id of sixteen digits and capitals, as Genesys ids look; ids sort by the time they were made."""
    number = (now - EPOCH) // ID_TICK * ID_CHANCES + secrets.randbelow(ID_CHANCES)
    digits = ""
    for _ in range(ID_LENGTH):
        number, digit = divmod(number, 36)
        digits = ID_DIGITS[digit] + digits
    return digits


def token(name: str) -> str:
    """The mark by which answers find the mail with that id, to be put into a subject; `TOKEN` finds it."""
    return f"[#{name}]"


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """One mail as it was taken from a mailbox.

    `key` names it on its server for as long as it lies there; `raw` is never changed again. `received` is when
    the server says that it arrived, None where the protocol does not tell. `left` says in words what of it stays on
    the server, empty where nothing does; `raw` names it in its header, too.
    """

    key: str
    raw: bytes = field(repr=False)
    received: datetime | None = None
    left: str = ""


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A part of a mail that is a file; `size` in bytes, decoded."""

    name: str
    content_type: str
    size: int
    content_id: str | None = None
    inline: bool = False


class ReportKind(StrEnum):
    """What a report is: RFC 3464, RFC 8098, RFC 5965, or a bounce that no standard describes."""

    DSN = "dsn"
    MDN = "mdn"
    ARF = "arf"
    BOUNCE = "bounce"


@dataclass(frozen=True, kw_only=True)
class ReportedRecipient:
    """What a report says of one recipient; what it does not say is empty.

    `action` is failed, delayed, delivered, relayed or expanded (RFC 3464 §2.3.3), of a read receipt its disposition
    type (RFC 8098 §3.2.6.2), of an abuse report its feedback type (RFC 5965 §3.1); `status` is as 5.1.1 (RFC 3463).
    """

    address: str = ""
    action: str = ""
    status: str = ""
    diagnostic: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """A mail about another mail. `user_data` is what it adds to the attached data, as Genesys names the keys.

    `original_message_id` (with its angle brackets) and `envelope_id` (RFC 3464 §2.2.1) name the mail that it is about.
    """

    kind: ReportKind
    recipients: tuple[ReportedRecipient, ...] = ()
    original_message_id: str | None = None
    envelope_id: str = ""
    user_data: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the mail did not reach at least one recipient, and will not."""
        return any(recipient.action == "failed" for recipient in self.recipients)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a mail says, read from its bytes. Whatever a broken mail does not say is empty.

    `text` is the plain text; of a mail that has only HTML it is read from that. `reply` is what its author wrote of it,
    `quoted` the rest. `headers` are all fields of the header, as they stand, unfolded. `return_path` is what delivery
    noted as the envelope's sender: empty for the null sender, None where it noted none. `enclosed_ids` are the
    Message-IDs of mails that lie in it as parts. `automatic` says why no person wrote it, `wrapped` why it could
    not be read and a wrapping message stands for it.
    """

    subject: str = ""
    sender: str = ""
    sender_personal: str = ""
    reply_to: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    return_path: str | None = None
    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    enclosed_ids: tuple[str, ...] = ()
    date: datetime | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    reply: str = field(default="", repr=False)
    quoted: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()
    automatic: str | None = None
    report: Report | None = None
    wrapped: str | None = None


class InteractionState(StrEnum):
    """Where an interaction stands (Genesys Context Services: status 0 to 3)."""

    NEW = "NEW"
    PENDING = "PENDING"
    IN_PROCESS = "IN_PROCESS"
    STOPPED = "STOPPED"


class Subtype(StrEnum):
    """What an interaction is, in Genesys's words; the last but one of the first half is ours."""

    INBOUND_NEW = "InboundNew"
    INBOUND_CUSTOMER_REPLY = "InboundCustomerReply"
    INBOUND_EXTERNAL_REPLY = "InboundExternalReply"  # the answer to a mail that was forwarded
    INBOUND_NDR = "InboundNDR"
    INBOUND_REPORT = "InboundReport"
    INBOUND_DISPOSITION = "InboundDisposition"
    OUTBOUND_NEW = "OutboundNew"
    OUTBOUND_REPLY = "OutboundReply"
    OUTBOUND_ACKNOWLEDGEMENT = "OutboundAcknowledgement"
    OUTBOUND_AUTO_RESPONSE = "OutboundAutoResponse"
    OUTBOUND_NOTIFICATION = "OutboundNotification"
    OUTBOUND_FORWARD = "OutboundForward"
    OUTBOUND_REDIRECT = "OutboundRedirect"


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """From whom and to whom a mail out goes (RFC 5321 §2.3.1), whatever its header says."""

    sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """A mail that programs can work with. `raw_digest` finds its bytes in the store.

    `user_data` is the attached data, as Genesys names the keys. `number` counts interactions in the order in which
    they were given to programs; None: rules have not seen it yet. `rule` is the rule that fitted. A mail out has
    an `envelope`.
    """

    id: str
    type: str
    subtype: str
    mailbox: str
    received: datetime
    queue: str
    thread_id: str
    raw_digest: str
    facts: Facts
    user_data: Mapping[str, str | int] = field(default_factory=dict)
    parent_id: str | None = None
    state: InteractionState = InteractionState.NEW
    number: int | None = None
    rule: str | None = None
    envelope: Envelope | None = None

    @property
    def out(self) -> bool:
        """Whether it is a mail of ours."""
        return self.type == OUTBOUND


INBOUND, OUTBOUND = "Inbound", "Outbound"  # the types of interactions


class Unique(StrEnum):
    """Among which mails a mail must be the only one."""

    IN_ACCOUNT = "in account"
    EVERYWHERE = "everywhere"


@dataclass(frozen=True, kw_only=True)
class Understood:
    """What a mail in becomes, and what is remembered of it beside.

    `interactions` are its copies, all with the same thread and bytes; none where it is a mail again that became the
    interaction `duplicate_of`. `digest` is that of its bytes as they came, whatever is stored in their place.
    `fingerprint` is the same whichever way a mail took. Where `unique` is set, the store
    keeps no second mail with the same Message-ID and fingerprint: none of the same account, or none at all.
    `subject_matches` are the texts in its subject by which mails find their thread.

    For the log: `reused_id_of` is an interaction with the same Message-ID and another content, `dropped` how many
    recipients got no copy.
    """

    interactions: tuple[Interaction, ...]
    digest: str
    fingerprint: str = ""
    unique: Unique | None = None
    duplicate_of: str | None = None
    subject_matches: tuple[str, ...] = ()
    reused_id_of: str | None = None
    dropped: int = 0


class RecipientState(StrEnum):
    """What is known of one recipient of a mail out."""

    WAITING = "WAITING"
    SENT = "SENT"
    FAILED = "FAILED"


class OutboundState(StrEnum):
    """Where a mail stands on its way out. The first four are in the outbox, the others in the history.

    DEFERRED: it was tried, or is held back by a limit, and waits for its next attempt. HELD: until a person lets it go.
    """

    QUEUED = "QUEUED"
    DEFERRED = "DEFERRED"
    HELD = "HELD"
    SENDING = "SENDING"
    SENT = "SENT"
    PARTLY_SENT = "PARTLY_SENT"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, kw_only=True)
class Outbound:
    """A mail to be sent: `sender` and `recipients` are the envelope (RFC 5321 §2.3.1), `raw` has CRLF line ends.

    What is remembered of it when it comes into the outbox: `answers` are the Message-IDs of mails that it answers, the
    nearest first; `automatic` that no person wrote it; `subject_matches` as in `Understood`; `thread_id` the thread
    that it belongs to, empty: that of what it answers. `subtype` is that of its interaction, empty: it is none.

    `notify` is what servers are asked to report of it (RFC 3461 §4.1); where it is empty, the way out says that.
    `interactive`: a person waits for it, so it goes before the others and no limit a minute holds it back.
    """

    id: str
    way_out: str
    sender: str
    recipients: tuple[str, ...]
    message_id: str
    raw: bytes = field(repr=False)
    attempts: int = 0
    answers: tuple[str, ...] = ()
    automatic: bool = False
    subject_matches: tuple[str, ...] = ()
    thread_id: str = ""
    subtype: str = ""
    notify: tuple[str, ...] = ()
    interactive: bool = False


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a server answered for one recipient: a state of WAITING means that it is to be tried again."""

    address: str
    state: RecipientState
    code: str
    text: str

    @property
    def status(self) -> str:
        """The enhanced status code (RFC 3463, as 5.1.1) that the words begin with; empty where they do not."""
        found = ENHANCED_STATUS.match(self.text)
        return found[0] if found else ""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What came of handing over one mail: a receipt for each of its recipients, in their order.

    `server` is who took or refused it, as HOST:PORT or a URL; `tls` the version and cipher of the connection, as
    `TLSv1.3 TLS_AES_256_GCM_SHA384`, empty where it was not encrypted.
    """

    receipts: tuple[Receipt, ...]
    server: str = ""
    tls: str = ""
