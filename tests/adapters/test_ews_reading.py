"""Answers of Exchange as they are read: whole ones, broken ones, and those that would cost too much."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator

import pytest

from emaild.net.ews.answers import T
from emaild.net.ews.body import PIECE, Body
from emaild.net.ews.reading import MimeContent, Unreadable, read
from emaild.settings.ews import is_online

TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
MIB = 1 << 20


def answer(inside: bytes) -> bytes:
    return b'<?xml version="1.0" encoding="utf-8"?><a xmlns:t="%b">%b</a>' % (TYPES.encode(), inside)


def with_mail(text: bytes) -> bytes:
    return answer(b"<t:MimeContent>%b</t:MimeContent>" % text)


def mail_of(*pieces: bytes) -> bytes | None:
    element = read(pieces).find(f"{T}MimeContent")
    assert isinstance(element, MimeContent)
    assert not element.text
    return element.raw


@pytest.mark.parametrize("size", [1, 2, 3, 4, 1000, 65_535, 300_001])
@pytest.mark.parametrize("wrapped", [False, True])
def test_mail_is_its_bytes_wherever_the_answer_is_cut(size: int, wrapped: bool) -> None:
    randomly = random.Random(size)
    raw = randomly.randbytes(size)
    text = base64.encodebytes(raw).replace(b"\n", b"\r\n") if wrapped else base64.b64encode(raw)
    whole = with_mail(text)
    for _ in range(5):
        cuts = sorted(randomly.choices(range(len(whole)), k=min(40, size)))
        assert mail_of(*(whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True))) == raw


@pytest.mark.parametrize(
    "text", [b"", b"  ", b"%%%%", b"QQ", b"QQ=", b"QQ==QQ==", b"QUJD" * 20_000 + b"=", "QUé=".encode(), b"=" * 8]
)
def test_what_is_no_base64_is_no_mail(text: bytes) -> None:
    assert mail_of(with_mail(text)) is None


def test_base64_that_goes_on_after_its_end_is_no_mail() -> None:
    """Also where the end is that of what was decoded so far."""
    before, _, after = with_mail(b"!").partition(b"!")
    assert mail_of(before, b"QUJD" * 16_383 + b"QQ==", b"QUJD" * 16_384, after) is None


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"hello",
        answer(b"")[:-1],
        with_mail(b"QUJD")[:-10],
        answer(b"</b>"),
        answer(b"&b;"),
        answer(b"\xff"),
        b'<?xml version="1.0" encoding="nothing"?><a/>',
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        '<?xml version="1.0" encoding="utf-16"?><a>'.encode("utf-16"),
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a/><a/>",
    ],
)
def test_broken_answers_are_unreadable(broken: bytes) -> None:
    with pytest.raises(Unreadable):
        read([broken])


def _endless(before: bytes, piece: bytes, given: list[int]) -> Iterator[bytes]:
    yield before
    for number in range(10_000):
        given.append(number)
        yield piece


@pytest.mark.parametrize(
    ("before", "piece"),
    [
        (b"<a>", b"<b/>" * 16_384),
        (b"<a>", b"<b>" * 16_384),
        (b"<a>", b"text" * 16_384),
        (b"<a>", b'<b c="%b"/>' % (b"x" * 65_536)),
        (b'<a b="', b"x" * 65_536),
        (b"<a><!--", b"x" * 65_536),
        (b"<a", b" " * 65_536),
        (b"<", b"a" * 65_536),
        (b"", b" " * 65_536),
    ],
)
def test_answer_without_end_is_left_after_a_few_mib(before: bytes, piece: bytes) -> None:
    """Of 10,000 pieces a few are read; a token without end would be quadratic besides."""
    given: list[int] = []
    with pytest.raises(Unreadable):
        read(_endless(before, piece, given))
    assert len(given) * len(piece) < 12 * MIB


@pytest.mark.parametrize("size", [0, 1, 2, 3, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 2])
def test_body_is_the_request_with_the_mail_and_says_its_length(size: int) -> None:
    raw = random.Random(size).randbytes(size)
    body = Body(b"<before>", raw, b"<after>")
    assert b"".join(body) == b"".join(body) == b"<before>" + base64.b64encode(raw) + b"<after>"
    assert len(body) == len(b"".join(body))
    assert repr(body) == "Body()"


@pytest.mark.parametrize(
    ("server", "online"),
    [
        ("https://outlook.office365.com/EWS/Exchange.asmx", True),
        ("https://OUTLOOK.Office365.com./ews/exchange.asmx", True),
        ("https://outlook.office365.us/EWS/Exchange.asmx", True),
        ("https://partner.outlook.cn/EWS/Exchange.asmx", True),
        ("https://outlook.office365.com.example.org/EWS/Exchange.asmx", False),
        ("https://notoffice365.com/EWS/Exchange.asmx", False),
        ("https://owa.example.com/ews/exchange.asmx", False),
        ("owa.example.com", False),
    ],
)
def test_exchange_online_is_known_by_its_url(server: str, online: bool) -> None:
    assert is_online(server) is online
