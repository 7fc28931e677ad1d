"""A mail out as RFC 5322 bytes: CRLF line ends, 7-bit, its Message-ID fixed for good."""

from __future__ import annotations

import mimetypes
import re
import secrets
from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.errors import HeaderParseError, InvalidHeaderDefect
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import Policy
from email.utils import format_datetime

from emaild.errors import InputError

LONGEST_LINE = 998  # octets before CRLF (RFC 5322 §2.1.1)
OWN_FIELDS = ("from", "to", "cc", "bcc", "date", "message-id", "subject", "mime-version")
ADDRESS_FIELDS = ("reply-to", "sender")
UNPRINTABLE = re.compile("[\0-\x1f\x7f\ud800-\udfff]")
WIDTH = 78  # what a line should have at most (RFC 5322 §2.1.1)


class _Verbatim(UnstructuredHeader, BaseHeader):
    """A field that the library does not know: folded at its blanks only, for it would make encoded words of a long
    Message-ID in References or of a long link in List-Unsubscribe, which nobody decodes there."""

    def fold(self, *, policy: Policy) -> str:
        pieces = re.findall(r"[ \t]*[^ \t]+", f"{self.name}: {self}")
        if not all(piece.isascii() and len(piece) <= LONGEST_LINE for piece in pieces):
            return super().fold(policy=policy)
        lines = [pieces[0]]
        for piece in pieces[1:]:
            if len(lines[-1]) + len(piece) <= WIDTH:
                lines[-1] += piece
            else:
                lines.append(piece)
        return "".join(line + policy.linesep for line in lines)


SEVEN_BIT = policy.SMTP.clone(
    cte_type="7bit", max_line_length=WIDTH, header_factory=HeaderRegistry(default_class=_Verbatim)
)


@dataclass(frozen=True, kw_only=True)
class Enclosed:
    """A file to attach."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a mail is to say, before it is bytes."""

    sender: str
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    attachments: tuple[Enclosed, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Composed:
    """A mail as it goes out. `sender` and `recipients` are its envelope."""

    sender: str
    recipients: tuple[str, ...]
    message_id: str
    raw: bytes = field(repr=False)


def compose(draft: Draft, *, now: datetime, domain: str) -> Composed:
    """The mail that a draft describes. *domain* is that of its Message-ID; empty: the sender's.

    Raises:
        InputError: an address or header field that no mail can carry; the text says which.
    """
    authors = _mailboxes([draft.sender], "--from")
    if len(authors) != 1:
        raise InputError(f"--from: {draft.sender!r} is not one e-mail address; expected name@domain")
    sender = authors[0].addr_spec
    to, cc, bcc = (_mailboxes(people, "recipient") for people in (draft.to, draft.cc, draft.bcc))
    message = EmailMessage(policy=SEVEN_BIT)
    for name, mailboxes in (("From", authors), ("To", to), ("Cc", cc)):
        if mailboxes:
            message[name] = mailboxes
    _set(message, "Subject", draft.subject)
    _set(message, "Date", format_datetime(now))
    message_id = new_message_id(domain or sender.rpartition("@")[2])
    _set(message, "Message-ID", message_id)
    for name, value in draft.headers:
        if name.lower() in OWN_FIELDS or name.lower().startswith("content-"):
            raise InputError(f"the header field {name} is made from what else is given")
        _set(message, name, value)
    try:
        _fill(message, draft)
        raw = message.as_bytes()
    except UnicodeEncodeError as error:
        raise InputError(f"{error.object[error.start : error.end]!r} is no Unicode text") from error
    return Composed(sender=sender, recipients=_envelope([*to, *cc, *bcc]), message_id=message_id, raw=raw)


def adopt(raw: bytes, *, now: datetime, domain: str, recipients: Sequence[str] = ()) -> Composed:
    """A finished mail, sent as it is but for three things: line ends become CRLF, Bcc (and the line that an mbox puts
    above a mail) goes, and a missing Message-ID or Date is added.

    Its envelope is taken from From (or Sender) and To, Cc and Bcc, unless *recipients* are given.

    Raises:
        InputError: it has no sender or no recipient, or its header cannot be read.
    """
    header, separator, body = _crlf(raw).partition(b"\r\n\r\n")
    header = re.sub(rb"\AFrom [^\r]*\r\n", b"", header)
    readable = re.sub(rb"(?m)^([!-9;-~]+)[ \t]+:", rb"\1:", header)  # a blank before the colon: RFC 5322 §4.5
    message = BytesParser(policy=policy.compat32).parsebytes(readable + b"\r\n\r\n", headersonly=True)
    if message.defects:
        raise InputError("the mail's header has a line that is no field; what follows it would be lost")
    authors = _mailboxes([_unfolded(message.get("Sender") or message.get("From") or "")], "From")
    if not authors:
        raise InputError("the mail has no From")
    sender = authors[0].addr_spec
    people = [_unfolded(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
    envelope = _envelope(_mailboxes(recipients or people, "recipient"))
    fields = _without(_without(header, b"bcc"), b"resent-bcc")
    message_id = str(message.get("Message-ID") or "").strip()
    if not re.fullmatch(r"<[^<>\s]+>", message_id):
        fields = _without(fields, b"message-id")
        message_id = new_message_id(domain or sender.rpartition("@")[2])
        fields += f"\r\nMessage-ID: {message_id}".encode()
    if message.get("Date") is None:
        fields += f"\r\nDate: {format_datetime(now)}".encode()
    return Composed(
        sender=sender,
        recipients=envelope,
        message_id=message_id,
        raw=fields + (separator or b"\r\n\r\n") + body,
    )


def seven_bit(raw: bytes) -> bytes | None:
    """The mail with its 8-bit parts encoded anew (RFC 6152 §3), None where it cannot be done without loss."""
    try:
        message: Message = BytesParser(policy=policy.compat32).parsebytes(raw)
        _encode_parts(message)
        encoded = message.as_bytes(policy=policy.compat32.clone(linesep="\r\n", max_line_length=None))
    except (LookupError, ValueError, RecursionError):
        return None
    return encoded if encoded.isascii() else None


def _encode_parts(message: Message) -> None:
    """Base64 for what is 8-bit and not encoded yet."""
    for part in message.walk():
        content = None if part.is_multipart() else part.get_payload(decode=True)
        identity = str(part.get("Content-Transfer-Encoding", "")).strip().lower() in ("", "7bit", "8bit", "binary")
        if isinstance(content, bytes) and identity and not content.isascii():
            del part["Content-Transfer-Encoding"]
            part["Content-Transfer-Encoding"] = "base64"
            part.set_payload(encodebytes(content).decode("ascii"))
            if "MIME-Version" not in message:  # without it nobody decodes (RFC 2045 §4)
                message["MIME-Version"] = "1.0"


def new_message_id(domain: str) -> str:
    """A Message-ID that nobody else makes (RFC 5322 §3.6.4): 128 random bits at *domain*."""
    return f"<{secrets.token_hex(16)}@{_ascii_domain(domain) or 'localhost'}>"


def _fill(message: EmailMessage, draft: Draft) -> None:
    if draft.text or not draft.html:
        message.set_content(draft.text, cte=_encoding(draft.text))
        if draft.html:
            message.add_alternative(draft.html, subtype="html", cte=_encoding(draft.html))
    else:
        message.set_content(draft.html, subtype="html", cte=_encoding(draft.html))
    for file in draft.attachments:
        kind, encoding = mimetypes.guess_type(file.name)
        main, _, sub = (kind if kind and not encoding else "application/octet-stream").partition("/")
        if main in ("message", "multipart"):  # base64 is not allowed on them (RFC 2046 §5.2.1)
            main, sub = "application", "octet-stream"
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=_file_name(file.name))


def _file_name(name: str) -> str:
    """As a header can carry it; to Linux a file name is bytes of any kind."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return UNPRINTABLE.sub("_", " ".join(text.splitlines()))


def _encoding(text: str) -> str:
    """Plain where the text allows it; otherwise a quoted-printable that stays readable, or base64."""
    if text.isascii() and not re.search(rf"[\0\r]|[^\n]{{{LONGEST_LINE + 1}}}", text):
        return "7bit"
    ascii_share = sum(character < "\x80" for character in text) / max(1, len(text))
    return "quoted-printable" if ascii_share > 0.7 else "base64"


def _set(message: EmailMessage, name: str, value: str) -> None:
    if not re.fullmatch(r"[!-9;-~]+", name):  # RFC 5322 §3.6.8, ftext
        raise InputError(f"{name!r} is no name of a header field")
    if UNPRINTABLE.search(value.replace("\t", " ")):
        raise InputError(f"{name}: a line break or control character does not belong into a header field")
    try:
        message[name] = _mailboxes([value], name) if name.lower() in ADDRESS_FIELDS else value
    except (ValueError, IndexError) as error:
        raise InputError(f"{name}: {value!r} cannot stand there: {error}") from error


def _mailboxes(people: Sequence[str], where: str) -> tuple[Address, ...]:
    """The names and addresses in these texts, their domains as they travel; a group counts as its members.

    Raises:
        InputError: something in them is no address; none is left out in silence.
    """
    found = []
    for text in people:
        try:
            parsed = SEVEN_BIT.header_factory("To", text)
            if any(isinstance(defect, InvalidHeaderDefect) for defect in parsed.defects) or UNPRINTABLE.search(text):
                raise ValueError
            found += [
                Address(one.display_name, addr_spec=_addr_spec(one.username, one.domain)) for one in parsed.addresses
            ]
        except (ValueError, IndexError, AttributeError, HeaderParseError):
            raise InputError(f"{where}: {text!r} is no e-mail address; expected name@domain") from None
    return tuple(found)


def _addr_spec(local: str, domain: str) -> str:
    """Raises ValueError where it is no address that every server takes."""
    address = Address(username=local, domain=_ascii_domain(domain)).addr_spec
    if not local or not address.isascii() or address.endswith("@") or re.search(r"[\s<>]", address):
        raise ValueError
    return address


def _envelope(mailboxes: Sequence[Address]) -> tuple[str, ...]:
    """The bare addresses, each once, without regard to case."""
    found: dict[str, str] = {}
    for mailbox in mailboxes:
        found.setdefault(mailbox.addr_spec.lower(), mailbox.addr_spec)
    if not found:
        raise InputError("a mail needs a recipient: --to, --cc or --bcc, or To, Cc or Bcc in the file")
    return tuple(found.values())


def _unfolded(value: object) -> str:
    """A field of a finished mail on one line."""
    return re.sub(r"[\r\n\t]+", " ", str(value)).strip()


def _ascii_domain(domain: str) -> str:
    """The domain as it travels (RFC 5890 §2.3.2.1)."""
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _crlf(raw: bytes) -> bytes:
    """Every line end as CRLF: a bare CR or LF could be read as the end of the mail (SMTP smuggling)."""
    return re.sub(rb"\r\n|\r|\n", b"\r\n", raw)


def _without(header: bytes, name: bytes) -> bytes:
    """The header without the fields of that name and their folded lines."""
    lines = re.split(rb"\r\n(?![ \t])", header)
    return b"\r\n".join(line for line in lines if not re.match(name + rb"[ \t]*:", line, re.IGNORECASE))
