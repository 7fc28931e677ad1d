"""A report of our own about a mail of ours that did not arrive, or is late: RFC 3464 in RFC 6522's multipart/report."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from emaild.message import ENHANCED_STATUS, Receipt
from emaild.render.compose import Draft, headed
from emaild.settings.properties import MimeProperties

WRITING = MimeProperties()
LONGEST_WORDS = 800  # characters of a server's words that are repeated; a line may have 998 (RFC 5322 §2.1.1)
LARGEST_HEADER = 64 << 10  # bytes of the mail's header that are repeated


@dataclass(frozen=True, kw_only=True)
class Reported:
    """A mail of ours that a report is about; what is told of its `receipts` is the same of all.

    `until`: it is late, and tried until then; None: these recipients never get it. `server` is as in `Delivery`.
    """

    id: str
    sender: str
    created: datetime
    raw: bytes
    receipts: Sequence[Receipt]
    server: str = ""
    until: datetime | None = None


def delivery_report(about: Reported, subject: str, text: str, *, now: datetime, domain: str) -> bytes:
    """The report to the mail's envelope sender, from MAILER-DAEMON of that domain.

    Raises:
        InputError: no mail can carry its address.
    """
    draft = Draft(
        sender=f"Mail Delivery System <MAILER-DAEMON@{domain}>",
        to=(about.sender,),
        subject=subject,
        headers=(("Auto-Submitted", "auto-replied"),),  # RFC 3834 §5.2
    )
    message, _ = headed(draft, now=now, domain=domain, writing=WRITING, name="")
    header = message.as_bytes().rstrip(b"\r\n")
    boundary = f"emaild.{about.id}.{int(now.timestamp() * 1000)}"
    kind = f'multipart/report; report-type=delivery-status;\r\n boundary="{boundary}"'
    parts = (
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + re.sub(rb"\r?\n", b"\r\n", text.encode("utf-8", "replace")),
        b"Content-Type: message/delivery-status\r\n\r\n" + "\r\n".join(_status(about, now, domain)).encode("ascii"),
        b"Content-Type: text/rfc822-headers\r\n\r\n" + _header_of(about.raw).replace(b"--" + boundary.encode(), b""),
    )
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    top = b"Return-Path: <>\r\n" + header + b"\r\nMIME-Version: 1.0\r\nContent-Type: " + kind.encode()
    return top + b"\r\n\r\n" + body + b"--" + boundary.encode() + b"--\r\n"


def _status(about: Reported, now: datetime, domain: str) -> Iterator[str]:
    """The fields of RFC 3464 §2.2 and §2.3, a group for each recipient."""
    yield f"Reporting-MTA: dns; {_plain(domain)}"
    yield f"Original-Envelope-Id: {about.id}"
    yield f"Arrival-Date: {format_datetime(about.created)}"
    for receipt in about.receipts:
        yield ""
        kind = "rfc822" if receipt.address.isascii() else "utf-8"  # RFC 6533 §3
        yield f"Final-Recipient: {kind}; {_plain(receipt.address)}"
        yield f"Action: {'delayed' if about.until else 'failed'}"
        yield f"Status: {_code(receipt, late=about.until is not None)}"
        if about.server:
            yield f"Remote-MTA: dns; {_plain(about.server)}"
        if receipt.code:
            yield f"Diagnostic-Code: smtp; {_plain(f'{receipt.code} {receipt.text}')}"
        yield f"Last-Attempt-Date: {format_datetime(now)}"
        if about.until:
            yield f"Will-Retry-Until: {format_datetime(about.until)}"
    yield ""


def _code(receipt: Receipt, *, late: bool) -> str:
    """The server's enhanced status if it is of that class, else 4.4.7 or 5.4.7: time expired, or 5.0.0 (RFC 3463)."""
    digit = "4" if late else "5"
    if ENHANCED_STATUS.match(receipt.status) and receipt.status.startswith(digit):
        return receipt.status
    return "5.0.0" if receipt.code.startswith("5") and not late else f"{digit}.4.7"


def _plain(text: str) -> str:
    """In one line of printable ASCII; other characters as RFC 6533 §3 embeds them."""
    line = " ".join(text[:LONGEST_WORDS].split())
    return "".join(c if " " <= c <= "~" else f"\\x{{{ord(c):X}}}" for c in line)[: LONGEST_WORDS + 100]


def _header_of(raw: bytes) -> bytes:
    header = raw.partition(b"\r\n\r\n")[0]
    if len(header) > LARGEST_HEADER:
        header = header[:LARGEST_HEADER].rpartition(b"\r\n")[0]
    return header + b"\r\n"
