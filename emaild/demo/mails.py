"""The mails that the demo drops into the mailbox of a shop: what its support really gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime

from emaild.demo import automatic, people


@dataclass(frozen=True)
class Sample:
    """A mail for the demo: what is special about it, and its bytes, whose line ends are CRLF."""

    title: str
    raw: bytes = field(repr=False)


def samples(now: datetime) -> tuple[Sample, ...]:
    """Return the mails, oldest first, as if they had come in the two days before *now*, which is aware.

    The same *now* gives the same bytes; each mail has a Message-ID of its own.
    """
    return tuple(Sample(letter.title, letter.arrived(n, now)) for n, letter in enumerate(_LETTERS, start=1))


@dataclass(frozen=True)
class _Letter:
    """How a sample comes about: `write` makes it from its Date and its Message-ID."""

    title: str
    minutes_ago: int
    write: Callable[[str, str], bytes]
    domain: str
    return_path: str = ""  # the null sender that reports and automatic replies have (RFC 5321 §4.5.5)

    def arrived(self, number: int, now: datetime) -> bytes:
        """The letter with what the shop's mail server writes above it (RFC 5321 §4.4)."""
        written = now - timedelta(minutes=self.minutes_ago)
        message_id = f"<{written:%Y%m%d%H%M%S}.{number}@{self.domain}>"
        trace = (
            f"Return-Path: <{self.return_path}>\n"
            f"Received: from mail.{self.domain} (mail.{self.domain} [192.0.2.{number}])\n"
            f"\tby mx.shop.example (Postfix) with ESMTPS id 4dXm{number:02}K1Zr9z3Hb\n"
            f"\tfor <support@shop.example>; {format_datetime(written + timedelta(seconds=2))}\n"
        )
        return people.crlf(trace) + self.write(format_datetime(written), message_id)


def _filled(text: str) -> Callable[[str, str], bytes]:
    return lambda date, message_id: people.crlf(text.format(date=date, message_id=message_id))


_LETTERS = (
    _Letter(
        "newsletter",
        2700,
        _filled(automatic.NEWSLETTER),
        "packaging.example.org",
        "news-47@packaging.example.org",
    ),
    _Letter("plain question", 1500, people.question, "example.com", "maria.keller@example.com"),
    _Letter("HTML with a PDF", 1320, people.invoice, "grosshandel.example", "buchhaltung@grosshandel.example"),
    _Letter("Japanese, ISO-2022-JP", 1190, people.japanese, "tokyo.example", "hanako.sato@tokyo.example"),
    _Letter("bounce", 470, _filled(automatic.BOUNCE), "shop.example"),
    _Letter("read receipt", 395, _filled(automatic.READ_RECEIPT), "nordic.example"),
    _Letter("out of office", 310, _filled(automatic.OUT_OF_OFFICE), "logistics.example.net"),
    _Letter("reply with quoted text", 240, people.reply, "example.org", "s.okafor@example.org"),
    _Letter("HTML with an inline image", 150, people.inline_image, "example.com", "chloe.martin@example.com"),
    _Letter("8 bits without a charset", 95, people.unlabelled, "atelier.example", "helene.dubois@atelier.example"),
    _Letter("forwarded mail", 40, people.forwarded, "shop.example", "sales@shop.example"),
    _Letter("multipart cut off", 7, people.unterminated, "example.net", "grace.oneill@example.net"),
)
