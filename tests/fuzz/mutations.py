"""Ways to break a mail. Each takes a mail and a random generator, and gives the broken mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from tests.fuzz.seeds import SEEDS

LARGEST = 1 << 20  # bytes of a mutant
CHARSETS = (
    b"utf-8", b"us-ascii", b"utf-7", b"utf-16", b"iso-2022-jp", b"gb2312", b"big5", b"hz", b"shift_jis", b"x-unknown",
    b"idna", b"punycode", b"unicode_escape", b"hex", b"", b"koi8-r;", b"cp037", b"\xff", b"iso-8859-1 ", b"utf-32",
)  # fmt: skip
TOKENS = (
    b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\n", b"\0", b"\xff", b" ", b"\t", b"=", b"=\n", b"==", b"=?", b"?=",
    b"=?utf-8?q?",
    b"=?utf-8?b?A?=", b"=?x?q?=C3?=", b'"', b"\\", b"(", b")", b"<", b">", b"@", b",", b";", b":", b"--",
    b"--b\n", b"--inner--\n",
    b"--outer\n", b"Content-Type: multipart/mixed\n", b"Content-Type: multipart/mixed; boundary=inner\n",
    b"; boundary=",
    b"Content-Type: message/rfc822\n", b"Content-Type: text/html\n", b"Content-Type: x\n", b"Content-Type: text\n",
    b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: x-uuencode\n", b"; charset=",
    b"; name*0*=a'b'%FF",
    b"; filename*1=x", b"; filename*99999999999999999999=x", b"From: ", b"From x\n", b">From x\n",
    b"Subject\n", b"\xef\xbb\xbf",
    b"begin 644 x\n", b"end\n", b"M", b"=ybegin line=1\n", b"\x1b$B", b"\x1b(B", b"\x1b$)C", b"~{", b"~}",
    b"+2AA-", b"%",
    b"Date: Mon, 99 Mar 99999 99:99:99 +9999\n", b"Message-ID: <>\n", b"<a@b>", b"&#1114112;", b"&#xD800;",
    b"<!--", b"<![CDATA[",
    b"<table><tr><td>", b"<script>", b"<meta charset=utf-16>", b"> > >", b"\xe2\x80\xae", b"\xf0\x9f\x98\x80",
    b"Action: failed\n",
    b"Final-Recipient: rfc822;\n", b"Status: 5\n", b"Auto-Submitted: \n", b"\x78\x9f\x3e\x22",
    b"Original-Message-ID: <2@example.org>\n",
)  # fmt: skip
CHARSET = re.compile(rb'charset="?[^\s";]+|=\?[^?]{1,20}\?', re.IGNORECASE)
BOUNDARY = re.compile(rb'boundary="?[^"\s]+|^--\S+', re.MULTILINE)
Mutation = Callable[[bytes, Random], bytes]


def flip_bytes(mail: bytes, chance: Random) -> bytes:
    changed = bytearray(mail)
    for _ in range(chance.choice((1, 1, 3, 20))):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _stretch(mail: bytes, chance: Random) -> tuple[int, int]:
    begin = chance.randint(0, len(mail))
    return begin, min(len(mail), begin + chance.choice((1, 5, 40, 300)))


def cut_out(mail: bytes, chance: Random) -> bytes:
    begin, end = _stretch(mail, chance)
    return mail[:begin] + mail[end:]


def cut_off(mail: bytes, chance: Random) -> bytes:
    return mail[: chance.randint(0, len(mail))]


def repeat(mail: bytes, chance: Random) -> bytes:
    begin, end = _stretch(mail, chance)
    times = chance.choice((2, 2, 2, 10, 100, 10_000 if chance.random() < 0.1 else 3))
    return mail[:end] + mail[begin:end] * min(times, LARGEST // max(end - begin, 1)) + mail[end:]


def _lines(mail: bytes, chance: Random) -> tuple[list[bytes], int, int]:
    lines = mail.splitlines(keepends=True) or [b""]
    return lines, chance.randrange(len(lines)), chance.randrange(len(lines))


def drop_line(mail: bytes, chance: Random) -> bytes:
    lines, one, _ = _lines(mail, chance)
    return b"".join(lines[:one] + lines[one + 1 :])


def double_line(mail: bytes, chance: Random) -> bytes:
    lines, one, other = _lines(mail, chance)
    return b"".join([*lines[:other], lines[one], *lines[other:]])


def swap_lines(mail: bytes, chance: Random) -> bytes:
    lines, one, other = _lines(mail, chance)
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def put_token(mail: bytes, chance: Random) -> bytes:
    at = chance.randint(0, len(mail))
    times = 1 if chance.random() < 0.98 else chance.choice((10, 1000, 50_000))
    token = chance.choice(TOKENS)
    return mail[:at] + token * min(times, LARGEST // len(token)) + mail[at:]


def _replace_one(found: re.Pattern[bytes], by: bytes, mail: bytes, chance: Random) -> bytes:
    places = [match.span() for match in found.finditer(mail)]
    begin, end = chance.choice(places or [(0, 0)])
    return mail[:begin] + by + mail[end:]


def change_charset(mail: bytes, chance: Random) -> bytes:
    name = chance.choice(CHARSETS)
    return _replace_one(CHARSET, chance.choice((b"charset=" + name, b"=?" + name + b"?")), mail, chance)


def break_boundary(mail: bytes, chance: Random) -> bytes:
    by = (
        b"",
        b"boundary=",
        b"boundary=b",
        b'boundary="inner',
        b"boundary=inner2",
        b"--",
        b"--inner",
        b"--inner--",
        b"--b",
    )
    return _replace_one(BOUNDARY, chance.choice(by), mail, chance)


def change_line_ends(mail: bytes, chance: Random) -> bytes:
    ends = chance.choice(((b"\r\n",), (b"\n",), (b"\r",), (b"\r\r\n",), (b"\r\n", b"\n", b"\r", b"", b"\n\n")))
    return b"".join(line + chance.choice(ends) for line in mail.splitlines())


def splice(mail: bytes, chance: Random) -> bytes:
    other = chance.choice(SEEDS)
    begin, end = sorted((chance.randint(0, len(other)), chance.randint(0, len(other))))
    at = chance.randint(0, len(mail))
    return mail[:at] + other[begin:end] + mail[at:]


MUTATIONS: tuple[Mutation, ...] = (
    flip_bytes, flip_bytes, cut_out, cut_off, repeat, drop_line, drop_line, double_line, swap_lines, put_token,
    put_token,
    put_token, change_charset, break_boundary, change_line_ends, splice,
)  # fmt: skip


def mutant(seed: int, number: int) -> bytes:
    """The broken mail of that number, always the same."""
    chance = Random(f"{seed}:{number}")
    mail = chance.choice(SEEDS)
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
        mail = chance.choice(MUTATIONS)(mail, chance)[:LARGEST]
    return mail
