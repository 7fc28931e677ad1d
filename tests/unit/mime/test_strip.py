"""A mail without its attachments: all else is byte for byte what it was."""

from __future__ import annotations

import base64

import pytest

from emaild.mime.strip import INSTEAD, without_attachments
from emaild.mime.view import facts

CONTENT = base64.encodebytes(bytes(range(256)) * 40).replace(b"\n", b"\r\n")


def mail(*parts: bytes, kind: str = "mixed") -> bytes:
    head = (
        f"From: a@b.example\r\nSubject: x\r\nContent-Type: multipart/{kind};\r\n\tboundary=b\r\n\r\nMIME\r\n".encode()
    )
    return head + b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\nafter\r\n"


def part(kind: str, body: bytes, *more: str) -> bytes:
    return "\r\n".join([f"Content-Type: {kind}", *more, "", ""]).encode() + body


TEXT = part("text/plain", b"Dear all,\r\n--\r\nAnn")
HEAD = "Content-Transfer-Encoding: base64", "Content-Disposition: attachment; filename=a.pdf"
FILE = part("application/pdf", CONTENT, *HEAD)
STRIPPED = part("application/pdf", base64.b64encode(INSTEAD), *HEAD)


def test_the_content_of_each_attachment_is_replaced_and_all_else_stays() -> None:
    assert without_attachments(mail(TEXT, FILE, FILE)) == mail(TEXT, STRIPPED, STRIPPED)


def test_what_stands_instead_can_be_read_in_the_encoding_of_the_part() -> None:
    plain = part("image/svg+xml", b"<svg/>" * 100)
    found = facts(without_attachments(mail(TEXT, FILE, plain)))
    assert [(one.name, one.size) for one in found.attachments] == [
        ("a.pdf", len(INSTEAD)),
        ("part-2.svg", len(INSTEAD)),
    ]
    assert found.text == facts(mail(TEXT)).text


def test_texts_deep_in_the_mail_stay_and_files_among_them_go() -> None:
    html = part("text/html", b"<b>one</b>")
    inner = mail(TEXT, html, kind="alternative").replace(b"boundary=b", b"boundary=i").replace(b"--b", b"--i")
    inner = inner.partition(b"\r\nSubject: x\r\n")[2]
    assert without_attachments(mail(inner, FILE)) == mail(inner, STRIPPED)


def test_a_mail_without_attachments_is_the_same() -> None:
    for raw in (mail(TEXT), b"Subject: x\r\n\r\nbody", b"", b"\0\xff", b"Subject: x"):
        assert without_attachments(raw) == raw


def test_a_mail_that_is_itself_an_attachment_keeps_its_header() -> None:
    assert without_attachments(b"Subject: x\r\n" + FILE) == b"Subject: x\r\n" + STRIPPED


@pytest.mark.parametrize("cut", [1, 5, 100, 2000])
def test_a_mail_that_is_cut_off_in_an_attachment_is_stripped_of_it(cut: int) -> None:
    raw = mail(TEXT, FILE, FILE)
    raw = raw[: raw.rindex(b"--b--") - cut]
    found = without_attachments(raw)
    assert found == mail(TEXT, STRIPPED, STRIPPED)[: len(found)]
    assert [one.name for one in facts(found).attachments] == ["a.pdf", "a.pdf"]


def test_a_mail_that_is_cut_off_in_the_header_of_a_part_loses_nothing_else() -> None:
    raw = mail(TEXT, FILE)
    raw = raw[: raw.index(b"Content-Disposition")]
    assert without_attachments(raw) == raw


def test_what_a_report_says_stays() -> None:
    status = part("message/delivery-status", b"Reporting-MTA: dns; x\r\n\r\nAction: failed\r\n")
    headers = part("text/rfc822-headers", b"Message-ID: <1@x>\r\n")
    original = part("message/rfc822", b"Subject: x\r\n\r\nbody")
    gone = part("message/rfc822", INSTEAD)
    assert without_attachments(mail(TEXT, status, headers, original)) == mail(TEXT, status, headers, gone)


def test_a_mail_beyond_a_limit_stays_as_it_is() -> None:
    raw = mail(*[FILE[:200]] * 1100)
    assert without_attachments(raw) == raw
