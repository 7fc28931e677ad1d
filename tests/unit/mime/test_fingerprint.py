"""Whether two mails are the same, whichever way they took."""

from __future__ import annotations

import base64
import quopri

import pytest

from emaild.mime.fingerprint import fingerprint, fingerprint_of
from emaild.mime.parts import opened

BODY = "Grüße,  \nAnn\n"
HEAD = """From: Ann <a@b.example>
Date: Mon, 02 Mar 2026 10:30:00 +0100
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= an alle
To: c@d.example,
 e@f.example
Message-ID: <1@b.example>
"""
TEXT = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {}\n\n"
MAIL = (HEAD + TEXT.format("8bit") + BODY).encode()
FILE = "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nAAECAwQFBgc=\n"
PARTS = f"{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\n{TEXT.format('8bit')}{BODY}\n--b\n{FILE}\n--b--\n"


@pytest.mark.parametrize(
    "added",
    [
        "Received: from x by y",
        "Return-Path: <a@b.example>",
        "Delivered-To: c@d.example",
        "X-Spam-Score: 1",
        "ARC-Seal: i=1",
        "DKIM-Signature: v=1; b=x",
        "Authentication-Results: x; spf=pass",
        "List-Id: <x.y>",
    ],
)
def test_what_is_added_on_the_way_makes_no_difference(added: str) -> None:
    assert fingerprint(f"{added}\n".encode() + MAIL) == fingerprint(MAIL)


@pytest.mark.parametrize("mail", [MAIL, PARTS.encode()])
def test_ends_of_lines_make_no_difference(mail: bytes) -> None:
    assert fingerprint(mail.replace(b"\n", b"\r\n")) == fingerprint(mail)
    assert fingerprint(mail.replace(b",  \n", b",\n")) == fingerprint(mail)
    assert fingerprint(mail + b"\n\n") == fingerprint(mail)


def test_another_folding_or_encoding_of_the_header_makes_no_difference() -> None:
    folded = MAIL.replace(b"c@d.example,\n e@f", b"c@d.example, e@f").replace(b" an alle", b"\n\tan alle")
    assert fingerprint(folded) == fingerprint(MAIL)
    assert fingerprint(MAIL.replace(b"=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße".encode())) == fingerprint(MAIL)


def test_another_encoding_of_the_body_makes_no_difference() -> None:
    quoted = (HEAD + TEXT.format("quoted-printable")).encode() + quopri.encodestring(BODY.encode())
    assert fingerprint(quoted) == fingerprint(MAIL)
    encoded = (HEAD + TEXT.format("base64")).encode() + base64.encodebytes(BODY.replace("\n", "\r\n").encode())
    assert fingerprint(encoded) == fingerprint(MAIL)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a@b.example>\nDate", "z@b.example>\nDate"),
        ("10:30", "10:31"),
        ("an alle", "an viele"),
        ("c@d.example", "x@d.example"),
        ("<1@b.example>", "<2@b.example>"),
        ("Ann\n", "Bob\n"),
        ("a.pdf", "b.pdf"),
        ("AAECAwQFBgc=", "AAECAwQFBgg="),
        ("application/pdf", "application/x"),
        ("Message-ID", "Cc: x@y.example\nMessage-ID"),
    ],
)
def test_a_mail_that_says_another_thing_is_another(old: str, new: str) -> None:
    assert old in PARTS
    assert fingerprint(PARTS.replace(old, new).encode()) != fingerprint(PARTS.encode())


def test_what_moves_from_one_field_to_the_next_makes_another() -> None:
    assert fingerprint(b"From: ab\n\n") != fingerprint(b"From: a\nDate: b\n\n")


def test_a_mail_beyond_a_limit_has_one_too() -> None:
    raw = (HEAD + "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\nx\n" * 1100).encode()
    assert fingerprint(raw) == fingerprint(b"Received: x\n" + raw)
    assert fingerprint(raw) != fingerprint(raw + b"y")


def test_a_mail_that_was_taken_apart_has_the_same() -> None:
    assert fingerprint_of(opened(MAIL)) == fingerprint(MAIL)


def test_a_long_run_of_blanks_takes_no_time() -> None:
    """The test's time limit is the assertion: what takes the square of its length takes hours."""
    assert len(fingerprint(MAIL + b" \t\r" * 1_000_000 + b"x")) == 64
