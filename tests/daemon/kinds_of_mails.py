"""Mails of every kind that a mailbox gets, made from a seed: whole ones, reports, answers, and what is broken."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator

from tests.servers.mails import generated

Number = int
Kind = Callable[[Number, random.Random], tuple[str, bytes]]
"""From a mail's number and chance to the header fields after the usual ones, and the body."""

HALF = "multipart/{}; boundary=b{}"


def kinds_of_mails(count: int, seed: int) -> Iterator[bytes]:
    """Yield *count* different mails; each second one is as `generated` makes them, the others are of every kind here.

    Most have CRLF line ends. An answer, a receipt and a bounce are about a mail that came before it.
    """
    whole = [mail.raw for mail in generated(count, seed, smallest=500, largest=20_000)]
    for number in range(count):
        if number % 2:
            yield whole[number]
            continue
        kind = KINDS[number // 2 % len(KINDS)]
        fields, body = kind(number, random.Random(f"{seed}/{number}"))
        raw = f"{_head(number)}{fields}".encode("utf-8", "surrogateescape") + body
        yield _SHAPES.get(kind, bytes)(raw)


def message_id(number: Number) -> str:
    """That of a mail of this module."""
    return f"<kind.{number}@customer.example>"


def _head(number: Number) -> str:
    minute, hour = number % 60, 8 + number // 60
    return (
        f"Return-Path: <customer{number}@customer.example>\r\n"
        f"From: Customer {number} <customer{number}@customer.example>\r\n"
        "To: Support <support@example.com>, second@example.com\r\n"
        "Cc: =?utf-8?q?Z=C3=B6e?= <zoe@example.net>\r\n"
        f"Date: Mon, 02 Mar 2026 {hour:02}:{minute:02}:00 +0100\r\n"
        f"Message-ID: {message_id(number)}\r\n"
    )


def _typed(kind: str, encoding: str = "7bit") -> str:
    return f"MIME-Version: 1.0\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n"


def _plain(number: Number, _: random.Random) -> tuple[str, bytes]:
    return f"Subject: plain {number}\r\n", b"\r\nHello,\r\n\r\n.\r\n..two dots\r\nFrom here on\r\n"


def _html(number: Number, chance: random.Random) -> tuple[str, bytes]:
    rows = "".join(f"<tr><td>{chance.random()}</td><td>&euro;&nbsp;3</td></tr>\n" for _ in range(9))
    page = f"<html><head><style>p{{color:red}}</style></head><body><p>Dear &amp; all<br>two</p><table>{rows}</table>"
    head = _typed("text/html; charset=utf-8", "base64")
    return f"Subject: HTML {number}\r\n{head}", b"\r\n" + base64.encodebytes(page.encode()).replace(b"\n", b"\r\n")


def _answer(number: Number, _: random.Random) -> tuple[str, bytes]:
    earlier = message_id(number - number // 2 % len(KINDS) * 2)
    fields = f"Subject: Re: plain\r\nIn-Reply-To: {earlier}\r\nReferences: <unknown@example.net>\r\n {earlier}\r\n"
    return fields, b"\r\nYes, please.\r\n\r\nOn Monday you wrote:\r\n> Hello,\r\n> and so on\r\n"


def _multipart(kind: str, number: Number, *parts: str) -> bytes:
    inside = "".join(f"--b{number}\r\n{part}\r\n" for part in parts)
    return f"\r\n{inside}--b{number}--\r\n".encode()


def _bounce(number: Number, _: random.Random) -> tuple[str, bytes]:
    status = "Reporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; bob@example.net\r\n"
    told = f"{status}Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown {number}\r\n"
    body = _multipart(
        "report",
        number,
        "Content-Type: text/plain\r\n\r\nIt could not be delivered.",
        f"Content-Type: message/delivery-status\r\n\r\n{told}",
        f"Content-Type: message/rfc822\r\n\r\nMessage-ID: {message_id(number - 2)}\r\nSubject: x\r\n\r\nHello",
    )
    kind = HALF.format("report; report-type=delivery-status", number)
    return f"Subject: Undelivered\r\nAuto-Submitted: auto-replied\r\n{_typed(kind)}", body


def _receipt(number: Number, _: random.Random) -> tuple[str, bytes]:
    told = f"Final-Recipient: rfc822; ann@example.com\r\nOriginal-Message-ID: {message_id(number - 4)}\r\n"
    body = _multipart(
        "report",
        number,
        "Content-Type: text/plain\r\n\r\nIt was read.",
        "Content-Type: message/disposition-notification\r\n\r\n"
        f"{told}Disposition: manual-action/MDN-sent-manually; displayed\r\n",
    )
    kind = HALF.format("report; report-type=disposition-notification", number)
    return f"Subject: Read: {number}\r\n{_typed(kind)}", body


def _old_bounce(number: Number, _: random.Random) -> tuple[str, bytes]:
    """As mail servers wrote before RFC 3464."""
    said = "   ----- The following addresses had permanent fatal errors -----\r\n<bob@example.net>\r\n"
    why = "   ----- Transcript of session follows -----\r\n550 <bob@example.net>... User unknown\r\n"
    fields = f"Sender: MAILER-DAEMON@mx.example.net\r\nSubject: Returned mail: User unknown {number}\r\n"
    return fields, f"\r\n{said}{why}".encode()


def _automatic(number: Number, _: random.Random) -> tuple[str, bytes]:
    fields = "Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\nPrecedence: bulk\r\n"
    return f"Subject: Out of office {number}\r\n{fields}", b"\r\nI am away.\r\n"


def _eight_bit(number: Number, _: random.Random) -> tuple[str, bytes]:
    """Bytes above 127 that nothing announces."""
    return f"Subject: Größe {number} \udce9\r\n", "\r\nein Löffel, ".encode("latin-1") + "zwei Löffel\r\n".encode()


def _long_lines(number: Number, chance: random.Random) -> tuple[str, bytes]:
    line = bytes(chance.choices(b"abcdefghij ", k=9_000)) + b"\r\n"
    return f"Subject: {'long ' * 400}{number}\r\n", b"\r\n" + line * 3


def _empty(number: Number, _: random.Random) -> tuple[str, bytes]:
    return f"Subject: empty {number}\r\n", b"\r\n" if number % 4 else b""


def _no_end(number: Number, _: random.Random) -> tuple[str, bytes]:
    """A mail whose last line does not end."""
    return f"Subject: no end {number}\r\n", b"\r\none\r\ntwo"


def _big_header(number: Number, chance: random.Random) -> tuple[str, bytes]:
    hops = "".join(f"Received: from a{hop} by b{hop} id {chance.random()};\r\n\tnow\r\n" for hop in range(300))
    names = "".join(f"\r\n <{chance.random()}@list.example>" for _ in range(300))
    return f"{hops}Subject: big {number}\r\nReferences:{names}\r\n", b"\r\nHello\r\n"


def _enclosed(number: Number, _: random.Random) -> tuple[str, bytes]:
    inner = f"Content-Type: message/rfc822\r\n\r\nSubject: inner {number}\r\nFrom: a@b.example\r\n\r\nHi\r\n.\r\n"
    data = "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
    picture = 'Content-Type: image/png; name="a.png"\r\nContent-ID: <pic@x>\r\nContent-Disposition: inline\r\n'
    body = _multipart(
        "mixed",
        number,
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße",
        f"{data}Content-Disposition: attachment; filename*0*=utf-8''R%C3%A9; filename*1=sum\xe9.pdf\r\n\r\nAAEC/w==",
        f'{data}Content-Disposition: attachment; filename="../../etc/pass\\"wd {number}"\r\n\r\nAAEC/w==',
        f"{data}Content-Disposition: attachment\r\n\r\nAAEC",
        f"{picture}Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=",
        inner,
    )
    return f"Subject: enclosed {number}\r\n{_typed(HALF.format('mixed', number), '8bit')}", body


def _unclosed(number: Number, _: random.Random) -> tuple[str, bytes]:
    """Parts within parts, and none of them ends."""
    body = (
        f'\r\nbefore\r\n--b{number}\r\nContent-Type: multipart/alternative; boundary="in {number}"\r\n\r\n'
        f"--in {number}\r\nContent-Type: text/plain; charset=no-such\r\n\r\nplain \r\n"
        f"--in {number}\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+Ym*9sZDw=\r\n"
        f"--b{number}\r\nContent-Type: application/x; name=half\r\nContent-Transfer-Encoding: base64\r\n\r\nAAE"
    )
    return f"Subject: unclosed {number}\r\n{_typed(HALF.format('mixed', number))}", body.encode()


def _broken_header(number: Number, _: random.Random) -> tuple[str, bytes]:
    fields = "no field at all\r\nX-Empty:\r\n : nothing before it\r\nContent-Type: multipart/mixed\r\n"
    words = "=?utf-8?b?R3LDvMOf?= =?utf-8?q?=C3?= =?utf-8?q?=A4?= =?no-such?q?x?= =?utf-8?b?%%%?="
    return f'Subject: {words} {number}\r\n{fields}To: a@@b, <>, "c\r\n', b"\r\n--\r\nX: y\r\n\r\nx\r\n"


def _nameless(number: Number, _: random.Random) -> tuple[str, bytes]:
    return f"Subject: without a Message-ID {number}\r\n", b"\r\nHello\r\n"


def _bare(number: Number, _: random.Random) -> tuple[str, bytes]:
    parts = "Content-Type: text/plain\r\n\r\none\r\ntwo", "Content-Type: text/csv\r\n\r\n1\r\n2"
    body = _multipart("mixed", number, *parts)
    return f"Subject: bare LF {number}\r\n{_typed(HALF.format('mixed', number))}", body


def _flowed(number: Number, _: random.Random) -> tuple[str, bytes]:
    head = _typed("text/plain; charset=utf-8; format=flowed; delsp=yes", "quoted-printable")
    return f"Subject: flowed {number}\r\n{head}", b"\r\nGr=C3=BC=C3=9Fe \r\naus K=C3=B6ln=20=\r\n, fern =\r\n=3D\r\n"


def _uuencoded(number: Number, _: random.Random) -> tuple[str, bytes]:
    return f"Subject: uu {number}\r\n", b"\r\nsee\r\n\r\nbegin 644 a b.txt\r\n%:&5L;&\\\r\n`\r\nend\r\nbye\r\n"


def _control(number: Number, _: random.Random) -> tuple[str, bytes]:
    return f"Subject: control {number}\r\n", b"\r\none\rtwo\ttab \x0c\x1b[2J\x7f\r\n\x1a\r\n"


KINDS: tuple[Kind, ...] = (
    _plain, _answer, _bounce, _receipt, _html, _old_bounce, _automatic, _eight_bit, _long_lines, _empty, _no_end,
    _big_header, _enclosed, _unclosed, _broken_header, _nameless, _bare, _flowed, _uuencoded,
    _control,
)  # fmt: skip


def _without_message_id(raw: bytes) -> bytes:
    return b"".join(line for line in raw.splitlines(keepends=True) if not line.startswith(b"Message-ID:"))


_SHAPES: dict[Kind, Callable[[bytes], bytes]] = {
    _nameless: _without_message_id,
    _bare: lambda raw: raw.replace(b"\r\n", b"\n"),
}
