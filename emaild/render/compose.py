"""A mail out as RFC 5322 bytes: CRLF line ends, 7-bit, its Message-ID fixed for good."""

from __future__ import annotations

import mimetypes
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.utils import format_datetime, getaddresses, parseaddr

from emaild.errors import InputError

SEVEN_BIT = policy.SMTP.clone(cte_type="7bit", max_line_length=78)
LONGEST_LINE = 998  # octets before CRLF (RFC 5322 §2.1.1)


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
    sender = _address(draft.sender, "--from")
    message = EmailMessage(policy=SEVEN_BIT)
    _set(message, "From", draft.sender)
    for name, people in (("To", draft.to), ("Cc", draft.cc)):
        if people:
            _set(message, name, ", ".join(people))
    _set(message, "Subject", draft.subject)
    _set(message, "Date", format_datetime(now))
    message_id = new_message_id(domain or sender.rpartition("@")[2])
    _set(message, "Message-ID", message_id)
    for name, value in draft.headers:
        if name.lower() in ("from", "to", "cc", "bcc", "date", "message-id", "subject", "mime-version"):
            raise InputError(f"the header field {name} has an option of its own")
        _set(message, name, value)
    _fill(message, draft)
    recipients = _recipients([*draft.to, *draft.cc, *draft.bcc])
    return Composed(sender=sender, recipients=recipients, message_id=message_id, raw=message.as_bytes())


def adopt(raw: bytes, *, now: datetime, domain: str, recipients: Sequence[str] = ()) -> Composed:
    """A finished mail, sent as it is but for three things: line ends become CRLF, Bcc goes, and a missing Message-ID,
    Date or From is an addition or an error.

    Its envelope is taken from From (or Sender) and To, Cc and Bcc, unless *recipients* are given.

    Raises:
        InputError: it has no sender or no recipient.
    """
    header, separator, body = _crlf(raw).partition(b"\r\n\r\n")
    message = BytesParser(policy=policy.compat32).parsebytes(header + b"\r\n\r\n", headersonly=True)
    author = str(message.get("Sender") or message.get("From") or "")
    sender = _address(author, "From")
    people = [str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
    envelope = _recipients(list(recipients) or people)
    fields = _without(header, b"bcc")
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
    message: Message = BytesParser(policy=policy.compat32).parsebytes(raw)
    try:
        encoded = message.as_bytes(policy=policy.compat32.clone(cte_type="7bit", linesep="\r\n"))
    except (LookupError, ValueError):
        return None
    return encoded if encoded.isascii() else None


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
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)


def _encoding(text: str) -> str:
    """Plain where the text allows it; otherwise a quoted-printable that stays readable, or base64."""
    if text.isascii() and all(len(line) <= LONGEST_LINE for line in text.splitlines()) and "\r" not in text:
        return "7bit"
    ascii_share = sum(character < "\x80" for character in text) / max(1, len(text))
    return "quoted-printable" if ascii_share > 0.7 else "base64"


def _set(message: EmailMessage, name: str, value: str) -> None:
    if not re.fullmatch(r"[!-9;-~]+", name):  # RFC 5322 §3.6.8, ftext
        raise InputError(f"{name!r} is no name of a header field")
    if "\r" in value or "\n" in value:
        raise InputError(f"{name}: a line break does not belong into a header field")
    try:
        message[name] = value
    except (ValueError, IndexError) as error:
        raise InputError(f"{name}: {value!r} cannot stand there: {error}") from error


def _recipients(people: Sequence[str]) -> tuple[str, ...]:
    """The bare addresses, each once, without regard to case."""
    found: dict[str, str] = {}
    for _, address in getaddresses(list(people)):
        if address:
            found.setdefault(address.lower(), _address(address, "recipient"))
    if not found:
        raise InputError("a mail needs a recipient: --to, --cc or --bcc, or To, Cc or Bcc in the file")
    return tuple(found.values())


def _address(text: str, where: str) -> str:
    address = parseaddr(text)[1]
    local, at, domain = address.rpartition("@")
    try:
        valid = bool(at and local and domain) and bool(Address(addr_spec=f"{local}@{_ascii_domain(domain)}"))
    except (ValueError, IndexError, AttributeError):
        valid = False
    if not valid or any(character.isspace() or character in "<>\0" for character in address):
        raise InputError(f"{where}: {text!r} is no e-mail address; expected name@domain")
    return f"{local}@{_ascii_domain(domain)}"


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
    return b"\r\n".join(line for line in lines if not line.lower().startswith(name + b":"))
