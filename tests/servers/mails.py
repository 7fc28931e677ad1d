"""Mails as the world sends them, made from a seed: the same seed gives the same bytes."""

import base64
import binascii
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime

from tests.servers.mail_words import ATTACHMENT_NAMES, TONGUES, Tongue, name_parameter

_FIRST_DATE = datetime(2024, 1, 1, 8, 0, tzinfo=UTC)
_TYPES = (
    "application/pdf",
    "image/png",
    "application/zip",
    "application/octet-stream",
    "text/csv; charset=utf-8",
)

# poplib refuses lines above 2,048 bytes, and real mails have them; so has every fourth of these.
_LONG_LINE = 2_600
_EVERY_LONG = 4


@dataclass(frozen=True)
class Generated:
    """A mail, its Message-ID with the angle brackets, and its attachments' names in order."""

    raw: bytes
    message_id: str
    attachment_names: tuple[str, ...]


def generated(count: int, seed: int, smallest: int = 2_000, largest: int = 200_000) -> Iterator[Generated]:
    """Yield *count* different mails of at least *smallest* and about *largest* bytes, small ones more often.

    All have CRLF line ends and a Message-ID of their own. Among them are plain text, text with HTML, and
    attachments named in each way that RFC 2231 and its ignorance have brought; texts in nine charsets, 7-bit,
    8-bit, quoted-printable and base64; lines that begin with a dot, lines that are one, and lines above 2,048
    bytes.
    """
    for number in range(count):
        # A text as seed makes each mail the same whatever its neighbours are.
        yield _mail(number, seed, random.Random(f"{seed}/{number}"), smallest, largest)


def _mail(number: int, seed: int, chance: random.Random, smallest: int, largest: int) -> Generated:
    size = int(math.exp(chance.uniform(math.log(smallest), math.log(largest))))
    tongue = TONGUES[number % len(TONGUES)]
    # Numbers in a row differ in all of this, so that a handful of mails already shows most of it.
    attachments = (0, 1, 0, 2, 3)[number % 5]
    message_id = f"<{seed}.{number}.{chance.getrandbits(64):016x}@generated.example>"
    head = _head(number, chance, tongue, message_id)
    names = tuple(
        f"{stem} {number}-{part}{suffix}"
        for part, (stem, suffix) in enumerate(chance.choices(ATTACHMENT_NAMES, k=attachments), 1)
    )
    two_texts = number % 7 in (1, 4)
    share = max(size - 1_000 - 250 * attachments, 600) // (attachments + 1 + two_texts)
    body = _text(chance, tongue, share, number)
    if two_texts:
        body = _multipart("alternative", f"alt-{number}", [body, _html(chance, tongue, share)])
    if attachments:
        files = [_attachment(chance, name, share, number + place) for place, name in enumerate(names)]
        body = _multipart("mixed", f"mix-{number}", [body, *files])
    raw = head + body
    return Generated(_padded(raw, smallest - len(raw)), message_id, names)


def _head(number: int, chance: random.Random, tongue: Tongue, message_id: str) -> bytes:
    date = format_datetime(_FIRST_DATE + timedelta(minutes=number))
    sender = Header(tongue.person, tongue.charset).encode(linesep="\r\n")
    subject = Header(f"{tongue.subject} {number}", tongue.charset, header_name="Subject").encode(linesep="\r\n")
    lines = [
        f"Return-Path: <customer{number}@sender.example>",
        f"Received: from mx.sender.example (mx.sender.example [192.0.2.{number % 250 + 1}])",
        f"\tby mail.example.com with ESMTPS id {chance.getrandbits(40):x}; {date}",
        f"From: {sender} <customer{number}@sender.example>",
        "To: Support <support@example.com>",
        f"Subject: {subject}",
        f"Date: {date}",
        f"Message-ID: {message_id}",
        "MIME-Version: 1.0",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _text(chance: random.Random, tongue: Tongue, size: int, number: int) -> bytes:
    """A text part, header and all, whose encoded body has about *size* bytes."""
    encoding = tongue.encodings[(number + number // len(TONGUES)) % len(tongue.encodings)]
    lines: list[str] = []
    if number % _EVERY_LONG == 0:
        encoding = tongue.encodings[0]
        lines.append(" ".join(["word"] * (_LONG_LINE // 5)))
    if number % 2:
        lines += [".", "..", ".signature of old", "...and so on"]
    lines += _lines(chance, tongue, size - sum(map(len, lines)), encoding)
    return _part("text/plain", tongue, lines, encoding)


def _html(chance: random.Random, tongue: Tongue, size: int) -> bytes:
    encoding = "quoted-printable"
    paragraphs = [f"<p style='margin:0'>{line}<br></p>" for line in _lines(chance, tongue, size * 2 // 3, encoding)]
    return _part("text/html", tongue, ["<html><body>", *paragraphs, "</body></html>"], encoding)


def _lines(chance: random.Random, tongue: Tongue, size: int, encoding: str) -> Iterator[str]:
    """Lines in any order that make about *size* bytes when they are encoded."""
    sizes = {line: len(_encoded([line], tongue.charset, encoding)) for line in tongue.lines}
    while size > 0:
        line = chance.choice(tongue.lines)
        size -= sizes[line]
        yield line


def _part(kind: str, tongue: Tongue, lines: list[str], encoding: str) -> bytes:
    head = f"Content-Type: {kind}; charset={tongue.charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode("ascii") + _encoded(lines, tongue.charset, encoding)


def _encoded(lines: list[str], charset: str, encoding: str) -> bytes:
    body = b"".join(line.encode(charset) + b"\r\n" for line in lines)
    if encoding == "base64":
        return _base64(body)
    return binascii.b2a_qp(body) if encoding == "quoted-printable" else body


def _attachment(chance: random.Random, name: str, size: int, way: int) -> bytes:
    kind = _TYPES[way % len(_TYPES)]
    head = (
        f"Content-Type: {kind}\r\n"
        f"Content-Disposition: attachment; {name_parameter(name, way)}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode("ascii") + _base64(chance.randbytes(size * 3 // 4))


def _multipart(kind: str, boundary: str, parts: list[bytes]) -> bytes:
    opening = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode("ascii")
    delimiter = f"--{boundary}".encode("ascii")
    return opening + b"".join(delimiter + b"\r\n" + part for part in parts) + delimiter + b"--\r\n"


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def _padded(raw: bytes, size: int) -> bytes:
    """The mail with *size* or a few more bytes in a header field that nobody reads."""
    if size <= 0:
        return raw
    line = b"X-Padding: " + b"x" * 64 + b"\r\n"
    return line * (size // len(line) + 1) + raw
