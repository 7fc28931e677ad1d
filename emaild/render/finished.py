"""Mails that are bytes already: what has to be right about them before they go out."""

from __future__ import annotations

import re
from base64 import encodebytes
from collections.abc import Sequence
from datetime import datetime
from email import policy
from email.message import Message
from email.parser import BytesParser
from email.utils import format_datetime

from emaild.errors import InputError
from emaild.render.compose import PLAIN_WRITING, Composed, envelope_of, new_message_id
from emaild.render.people import mailboxes

LONGEST_LINE = 998  # octets without CRLF


def adopt(raw: bytes, *, now: datetime, domain: str, recipients: Sequence[str] = ()) -> Composed:
    """A finished mail, sent as it is but for three things: line ends become CRLF, Bcc (and the line that an mbox puts
    above a mail) goes, and a missing Message-ID or Date is added.

    Its envelope is taken from From (or Sender) and To, Cc and Bcc, unless *recipients* are given.

    Raises:
        InputError: it has no sender or no recipient, or its header cannot be read.
    """
    header, separator, body = _crlf(raw).partition(b"\r\n\r\n")
    header = re.sub(rb"\AFrom (?![ \t]*:)[^\r]*\r\n", b"", header)  # with a colon it is the field
    readable = re.sub(rb"(?m)^([!-9;-~]+)[ \t]+:", rb"\1:", header)  # a blank before the colon: RFC 5322 §4.5
    message = BytesParser(policy=policy.compat32).parsebytes(readable + b"\r\n\r\n", headersonly=True)
    if message.defects:
        raise InputError("the mail's header has a line that is no field; what follows it would be lost")
    authors = mailboxes([_unfolded(message.get("Sender") or message.get("From") or "")], "From", PLAIN_WRITING)
    if not authors:
        raise InputError("the mail has no From")
    sender = authors[0].address
    people = [_unfolded(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
    envelope = envelope_of(mailboxes(recipients or people, "recipient", PLAIN_WRITING))
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
    """The mail with its 8-bit parts, and those with too long lines, encoded anew (RFC 6152 §3).

    None where it cannot be done without loss.
    """
    try:
        message: Message = BytesParser(policy=policy.compat32).parsebytes(raw)
        _encode_parts(message)
        encoded = message.as_bytes(policy=policy.compat32.clone(linesep="\r\n", max_line_length=None))
    except (LookupError, ValueError, RecursionError):
        return None
    return encoded if encoded.isascii() else None


def has_long_line(raw: bytes) -> bool:
    """Whether a line is longer than servers must take (RFC 5321 §4.5.3.1.6)."""
    return max(map(len, raw.splitlines()), default=0) > LONGEST_LINE


def _encode_parts(message: Message) -> None:
    """Base64 for what is not encoded yet and could not travel as it is."""
    for part in message.walk():
        content = None if part.is_multipart() else part.get_payload(decode=True)
        identity = str(part.get("Content-Transfer-Encoding", "")).strip().lower() in ("", "7bit", "8bit", "binary")
        if isinstance(content, bytes) and identity and not _travels(content):
            del part["Content-Transfer-Encoding"]
            part["Content-Transfer-Encoding"] = "base64"
            part.set_payload(encodebytes(content).decode("ascii"))
            if "MIME-Version" not in message:  # without it nobody decodes (RFC 2045 §4)
                message["MIME-Version"] = "1.0"


def _travels(content: bytes) -> bool:
    """Whether it is what RFC 2045 §2.7 calls 7bit data."""
    return content.isascii() and b"\0" not in content and not has_long_line(content)


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
