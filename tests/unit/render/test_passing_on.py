"""A mail that is passed on as it is: our header, its body, and nothing that it could smuggle into our header."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.errors import InputError
from emaild.mime.view import facts
from emaild.render.compose import Composed, Draft, Enclosed
from emaild.render.finished import seven_bit
from emaild.render.passing_on import redirected
from emaild.settings.properties import MimeProperties
from tests.composing import NOW, composed, parsed

OURS = ["From", "To", "Subject", "Date", "Message-ID"]
STRUCTURE = (
    b'MIME-Version: 1.0 (made by hand)\r\nContent-type:multipart/mixed;\r\n\tboundary="b b"\r\nContent-Language: de\r\n'
)
BODY = (
    b"preamble\r\n--b b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b"Gr\xc3\xbc\xc3\x9fe\r\n.\r\nFrom me \r\n--b b\r\nContent-Type: image/png; name=a.png\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b b--\r\n"
)
OTHERS = (
    b"Return-Path: <zoe@example.com>\r\nDelivered-To: ann@example.com\r\nReceived: from x\r\n\tby y; today\r\n"
    b"DKIM-Signature: v=1; b=xyz\r\nFrom: zoe@example.com\r\nTo: ann@example.com\r\nBcc: old@example.com\r\n"
    b"Subject: old\r\nDate: Mon, 02 Mar 2020 09:30:00 +0000\r\nMessage-ID: <old@example.com>\r\n"
    b"Auto-Submitted: auto-replied\r\nX-Other: content-type\r\nContent-Length: 5\r\n"
)


def on(raw: bytes, name: str = "", writing: MimeProperties = MimeProperties(), **said: Any) -> Composed:
    """That mail passed on."""
    draft = Draft(**({"sender": "ann@example.com", "to": ("bob@example.com",), "subject": "FW: x"} | said))
    return redirected(raw, draft, now=NOW, domain="", name=name, writing=writing)


def test_structure_and_body_stay_byte_for_byte_under_a_new_header() -> None:
    mail = on(OTHERS + STRUCTURE + b"\r\n" + BODY, headers=(("Reply-To", "zoe@example.com"), ("X-Ours", "1")))
    head, _, body = mail.raw.partition(b"\r\n\r\n")
    assert body == BODY
    assert (head + b"\r\n").endswith(STRUCTURE)
    assert parsed(mail).keys() == [*OURS, "Reply-To", "X-Ours", "MIME-Version", "Content-type", "Content-Language"]
    for old in (
        b"zoe@example.com>",
        b"Received",
        b"DKIM",
        b"<old@",
        b"old@example.com",
        b"Auto",
        b"Delivered",
        b"2020",
    ):
        assert old not in mail.raw
    before, after = facts(OTHERS + STRUCTURE + b"\r\n" + BODY), facts(mail.raw)
    assert (after.text, after.attachments) == (before.text, before.attachments)
    assert after.text == "Grüße\n.\nFrom me "
    assert (after.subject, after.sender, after.to, after.reply_to, after.date) == (
        *("FW: x", "ann@example.com", ("bob@example.com",), ("zoe@example.com",), NOW),
    )
    assert (mail.sender, mail.recipients) == ("ann@example.com", ("bob@example.com",))
    assert after.message_id == mail.message_id


def test_a_line_that_servers_need_not_take_is_encoded() -> None:
    """RFC 5321 §4.5.3.1.6."""
    text = b"x" * 3000 + b"\r\n" + b"y" * 998 + b"\r\n"
    mail = on(b"Content-Type: text/plain\r\n\r\n" + text)
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 998
    assert parsed(mail).get_payload(decode=True) == text
    assert on(b"\r\n" + b"y" * 998 + b"\r\n").raw.endswith(b"\r\n\r\n" + b"y" * 998 + b"\r\n")


def test_it_has_the_id_of_our_interaction_and_the_writing_of_the_way_out() -> None:
    mail = on(b"\r\nx", name="0123456789ABCDEF", writing=MimeProperties(charset="cp1252"), subject="ü")
    assert mail.message_id.startswith("<0123456789ABCDEF.")
    assert b"Subject: =?windows-1252?q?=FC?=\r\n" in mail.raw


def test_a_mail_that_we_made_says_the_same_when_it_is_passed_on() -> None:
    made = composed(text="Grüße", html="<p>Grüße</p>", attachments=(Enclosed(name="日本.pdf", content=b"\xff" * 999),))
    before, after = facts(made.raw), facts(on(made.raw).raw)
    assert (after.text, after.html, after.attachments) == (before.text, before.html, before.attachments)


@pytest.mark.parametrize("said", [{"text": "x"}, {"html": "x"}, {"attachments": (Enclosed(name="x", content=b""),)}])
def test_a_text_of_ones_own_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="no other text and no other files"):
        on(b"a: b\r\n\r\nx", **said)


@pytest.mark.parametrize("said", [{"subject": "a\r\nBcc: x@y.z"}, {"headers": (("X", "\0"),)}, {"to": ("a@b.c\nx",)}])
def test_a_header_that_would_hold_other_fields_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        on(b"a: b\r\n\r\nx", **said)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n", b"\r\r\n"], ids=ascii)
def test_line_ends_of_any_kind_become_those_of_mails(end: bytes) -> None:
    raw = (OTHERS + STRUCTURE + b"\r\n" + BODY).replace(b"\r\n", end)
    assert re.sub(rb"(?m)^Message-ID.*$", b"", on(raw).raw) == re.sub(
        rb"(?m)^Message-ID.*$", b"", on(OTHERS + STRUCTURE + b"\r\n" + BODY).raw
    )


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        (b"Content-Type: text/html\r\n", [b"Content-Type: text/html"]),
        (b"Content-Type : text/html\r\n", [b"Content-Type: text/html"]),
        (b"Content-Type: a/b;\r\n \r\n\t \r\n c=d\r\n \r\n", [b"Content-Type: a/b;\r\n c=d"]),
        (b"Content-Type:\r\n text/html\r\n", [b"Content-Type:\r\n text/html"]),
        (b"Content-Type: a\0b\r\nContent-ID: <x>\r\n", [b"Content-ID: <x>"]),
        (b"Content-Type: a\x0bb\r\n", []),
        (b"Content-Type: " + b"x" * 990 + b"\r\n", []),
        (b"Content-Type: a;\r\n " + b"x" * 997 + b"\r\n", [b"Content-Type: a;\r\n " + b"x" * 997]),
        (b"Content-Type: a;\r\n " + b"x" * 998 + b"\r\n", []),
        (b"Content-Type: a\0\r\nContent-type: b\r\nCONTENT-TYPE: c\r\n", [b"Content-type: b"]),
        (b"Content-Type: text/plain; name=\xc3\xbc\r\n", [b"Content-Type: text/plain; name=\xc3\xbc"]),
        (b"Content-\xc3\xbc: x\r\nSubject: y\r\n", []),
        (b"Content-: x\r\nContents: x\r\nX-Content-Type: x\r\n", [b"Content-: x"]),
        (b"From zoe Mon Mar  2 09:30:00 2020\r\nContent-Type: a/b\r\n", [b"Content-Type: a/b"]),
        (b" \r\n\r\nSubject: x\r\nContent-Type: a/b\r\n", [b"Content-Type: a/b"]),
        (b"Subject: x\r\nbroken line\r\nContent-Type: a/b\r\n", [b"Content-Type: a/b"]),
    ],
    ids=lambda value: ascii(value[:40]),
)
def test_only_sound_fields_of_content_are_kept(header: bytes, kept: list[bytes]) -> None:
    head, _, body = on(header + b"\r\nbody\r\n").raw.partition(b"\r\n\r\n")
    assert body == b"body\r\n"
    assert re.split(rb"\r\n(?![ \t])", head)[len(OURS) :] == kept


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"", b""),
        (b"Subject: x", b""),
        (b"Subject: x\r\n", b""),
        (b"Content-Type: text/plain\r\nThis is text\r\nBcc: x@y.z\r\n", b"This is text\r\nBcc: x@y.z\r\n"),
        (b"no header\r\n\r\nat all", b"no header\r\n\r\nat all"),
        (b"\r\nbody", b"body"),
        (b"\0\0\0", b"\0\0\0"),
        (b"a: b\r\n\r\nx\0y", b"x\0y"),
    ],
    ids=ascii,
)
def test_a_broken_mail_has_a_body_still(raw: bytes, body: bytes) -> None:
    assert on(raw).raw.partition(b"\r\n\r\n")[2] == body


@pytest.mark.parametrize(
    "unit",
    [b"X: y\r\n", b"Content-X: y\r\n", b"x", b"Content-Type: a;\r\n" + b" b\r\n" * 1000],
    ids=["X", "Content", "x", "folded"],
)
def test_a_header_without_end_is_refused_and_a_text_without_header_is_not(unit: bytes) -> None:
    raw = unit * (20_000_000 // len(unit))
    if unit == b"x":
        assert parsed(on(raw)).get_payload(decode=True) == raw
        return
    with pytest.raises(InputError, match="longer than 1048576 bytes"):
        on(raw)


@pytest.mark.parametrize(
    "unit", [b"\r", b"\r\r", b" ", b" \r\n", b"\t\r\n", b"a:", b"x\r\n", b"a: b\r\n \r\n", b"a: b\r\nx\r\n"]
)
def test_large_broken_mails_take_no_longer_than_others(unit: bytes) -> None:
    """Of a size that would take minutes if any of it were looked at again and again."""
    raw = unit * (300_000 // len(unit))
    assert on(raw).raw
    assert on(b"Content-Type: a\r\n" + raw + b"\r\n\r\n" + unit * (2_000_000 // len(unit))).raw


BYTES = st.lists(
    st.one_of(
        st.sampled_from(
            [b"\r", b"\n", b"\r\n", b" ", b"\t", b"\0", b":", b"Content-Type", b"Bcc: x@y.z", b"MIME-Version"]
        ),
        st.sampled_from(
            [b"From ", b"\r\n\r\n", b"Content-X: ", b"\x0b", b"\xc2\x85", b"\xe2\x80\xa8", b"Subject: x\r\n"]
        ),
        st.binary(max_size=4),
    ),
    max_size=25,
).map(b"".join)


@given(BYTES)
def test_bytes_of_any_kind_bring_no_field_into_the_header(raw: bytes) -> None:
    mail = on(raw)
    names = [name.lower() for name in parsed(mail)]
    assert names[: len(OURS)] == [name.lower() for name in OURS]
    others = names[len(OURS) :]
    assert len(set(others)) == len(others)
    assert all(name == "mime-version" or name.startswith("content-") for name in others)
    assert parsed(mail).defects == [] or others
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", mail.raw) is None
    encoded = seven_bit(mail.raw)
    assert encoded is None or encoded.isascii()
