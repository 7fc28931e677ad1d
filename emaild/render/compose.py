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
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.utils import format_datetime

from emaild.errors import InputError
from emaild.render.fields import LONGEST_LINE, UNPRINTABLE, charset_of, parameter, policy_of, text_of
from emaild.render.people import Mailbox, ascii_domain, mailboxes, shown
from emaild.settings.properties import MimeProperties

OWN_FIELDS = ("from", "to", "cc", "bcc", "date", "message-id", "subject", "mime-version")
ADDRESS_FIELDS = ("reply-to", "sender")
PLAIN_WRITING = MimeProperties()


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


def compose(draft: Draft, *, now: datetime, domain: str, writing: MimeProperties = PLAIN_WRITING) -> Composed:
    """The mail that a draft describes. *domain* is that of its Message-ID; empty: the sender's.

    Raises:
        InputError: an address or header field that no mail can carry; the text says which.
    """
    authors = _authors(draft.sender, writing)
    sender = authors[0].address
    to, cc, bcc = (mailboxes(people, "recipient", writing) for people in (draft.to, draft.cc, draft.bcc))
    message = EmailMessage(policy=policy_of(writing))
    for name, there in (("From", authors), ("To", to), ("Cc", cc)):
        if there:
            message[name] = shown(there)
    _set(message, "Subject", draft.subject, writing)
    _set(message, "Date", format_datetime(now), writing)
    message_id = new_message_id(domain or sender.rpartition("@")[2])
    _set(message, "Message-ID", message_id, writing)
    for name, value in draft.headers:
        if name.lower() in OWN_FIELDS or name.lower().startswith("content-"):
            raise InputError(f"the header field {name} is made from what else is given")
        _set(message, name, value, writing)
    try:
        _fill(message, draft, writing)
        raw = message.as_bytes()
    except UnicodeEncodeError as error:
        raise InputError(f"{error.object[error.start : error.end]!r} is no Unicode text") from error
    return Composed(sender=sender, recipients=_envelope([*to, *cc, *bcc]), message_id=message_id, raw=raw)


def author_of(sender: str) -> str:
    """The bare address of a draft's sender, broken or not: to choose the way out, which says how to write the mail.

    Raises:
        InputError: it is no address in any sense.
    """
    found = mailboxes([sender], "--from", MimeProperties(address_strict=False))
    return found[0].address if found else ""


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
    authors = mailboxes([_unfolded(message.get("Sender") or message.get("From") or "")], "From", PLAIN_WRITING)
    if not authors:
        raise InputError("the mail has no From")
    sender = authors[0].address
    people = [_unfolded(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
    envelope = _envelope(mailboxes(recipients or people, "recipient", PLAIN_WRITING))
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
    return f"<{secrets.token_hex(16)}@{ascii_domain(domain) or 'localhost'}>"


def _fill(message: EmailMessage, draft: Draft, writing: MimeProperties) -> None:
    charset, encoding = charset_of(draft.html, writing), _encoding(draft.html)
    if draft.text or not draft.html:
        message.set_content(draft.text, charset=charset_of(draft.text, writing), cte=_encoding(draft.text))
        if draft.html:
            message.add_alternative(draft.html, subtype="html", charset=charset, cte=encoding)
    else:
        message.set_content(draft.html, subtype="html", charset=charset, cte=encoding)
    for file in draft.attachments:
        kind, compressed = mimetypes.guess_type(file.name)
        main, _, sub = (kind if kind and not compressed else "application/octet-stream").partition("/")
        if main in ("message", "multipart"):  # base64 is not allowed on them (RFC 2046 §5.2.1)
            main, sub = "application", "octet-stream"
        message.add_attachment(file.content, maintype=main, subtype=sub)
        *_, part = message.iter_parts()
        _name(part, f"{main}/{sub}", _file_name(file.name), writing)


def _name(part: Message, content_type: str, name: str, writing: MimeProperties) -> None:
    """Give an attachment its file's name."""
    del part["Content-Disposition"]
    part["Content-Disposition"] = "attachment" + parameter("filename", name, writing)
    if writing.setcontenttypefilename:
        part.replace_header("Content-Type", content_type + parameter("name", name, writing))


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


def _set(message: EmailMessage, name: str, value: str, writing: MimeProperties) -> None:
    if not re.fullmatch(r"[!-9;-~]+", name):  # RFC 5322 §3.6.8, ftext
        raise InputError(f"{name!r} is no name of a header field")
    if UNPRINTABLE.search(value.replace("\t", " ")) or len(value.splitlines()) > 1:
        raise InputError(f"{name}: a line break or control character does not belong into a header field")
    if name.lower() not in ADDRESS_FIELDS:
        message[name] = text_of(name, value, writing)
    elif name in message:
        raise InputError(f"{name}: a mail has one such field at most")
    else:
        message[name] = shown(mailboxes([value], name, writing))


def _authors(sender: str, writing: MimeProperties) -> tuple[Mailbox, ...]:
    authors = mailboxes([sender], "--from", writing)
    if len(authors) != 1:
        raise InputError(f"--from: {sender!r} is not one e-mail address; expected name@domain")
    return authors


def _envelope(mailboxes: Sequence[Mailbox]) -> tuple[str, ...]:
    """The bare addresses, each once, without regard to case."""
    found: dict[str, str] = {}
    for mailbox in mailboxes:
        found.setdefault(mailbox.address.lower(), mailbox.address)
    if not found:
        raise InputError("a mail needs a recipient: --to, --cc or --bcc, or To, Cc or Bcc in the file")
    return tuple(found.values())


def _unfolded(value: object) -> str:
    """A field of a finished mail on one line."""
    return re.sub(r"[\r\n\t]+", " ", str(value)).strip()


def _crlf(raw: bytes) -> bytes:
    """Every line end as CRLF: a bare CR or LF could be read as the end of the mail (SMTP smuggling)."""
    return re.sub(rb"\r\n|\r|\n", b"\r\n", raw)


def _without(header: bytes, name: bytes) -> bytes:
    """The header without the fields of that name and their folded lines."""
    lines = re.split(rb"\r\n(?![ \t])", header)
    return b"\r\n".join(line for line in lines if not re.match(name + rb"[ \t]*:", line, re.IGNORECASE))
