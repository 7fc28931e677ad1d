"""Mails to be sent over Graph."""

from __future__ import annotations

from base64 import encodebytes
from dataclasses import replace
from datetime import timedelta

from emaild.message import Outbound, new_id
from tests.adapters.graph_ways import USER
from tests.adapters.ways import outbound
from tests.clock import START
from tests.servers.graph_mailbox import Message

MIB = 1 << 20
FRESH = new_id(START + timedelta(seconds=1))  # of a mail that no sink before this one can have tried


def mail(*recipients: str, to: str = "one@example.net", sender: str = USER, body: str = "Hello\r\n") -> Outbound:
    """A small mail."""
    raw = (
        f"From: {sender}\r\nTo: {to}\r\nSubject: one\r\nMessage-ID: <one@example.com>\r\n"
        f"In-Reply-To: <zero@example.net>\r\n\r\n{body}"
    ).encode()
    return replace(outbound(*(recipients or (to,)), raw=raw, sender=sender), id=FRESH)


def file_part(content: bytes, name: str, more: str = "") -> bytes:
    """A part with a file."""
    head = f'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="{name}"\r\n{more}'
    encoded = encodebytes(content).replace(b"\n", b"\r\n")
    return head.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded


def large(*parts: bytes) -> Outbound:
    """A mail with a text and these parts."""
    text = b"Content-Type: text/plain; charset=utf-8\r\n\r\nSee the files.\r\n"
    pieces = b"".join(b"\r\n--BB\r\n" + part for part in (text, *parts))
    header = (
        f"From: {USER}\r\nTo: one@example.net\r\nSubject: files\r\nMessage-ID: <files@example.com>\r\n"
        "References: <zero@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=BB\r\n"
    ).encode()
    raw = header + b"\r\nFor old readers." + pieces + b"\r\n--BB--\r\n"
    return replace(outbound("one@example.net", raw=raw, sender=USER), id=FRESH, message_id="<files@example.com>")


def recipients(one: Message) -> set[str]:
    """To whom it went."""
    return set(one.addresses("To", "Cc", "Bcc"))
