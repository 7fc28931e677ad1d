"""The files of a mail, to be attached to another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emaild.mime.contents import contents
from emaild.mime.files import files
from emaild.mime.limits import PARTS
from emaild.mime.parts import leaves
from emaild.mime.parts import parsed as parsed_mail
from emaild.mime.view import facts
from emaild.render.compose import Enclosed
from emaild.services.enclosures import enclosures
from emaild.settings.processing import ProcessingSection
from emaild.settings.properties import MimeProperties
from tests.composing import composed, on_the_wire, parsed

INNER = b"Subject: inner\r\nFrom: zoe@example.com\r\n\r\ntext\r\n"
UUENCODED = b"begin 644 old.txt\r\n#0V%T\r\n`\r\nend\r\n"


def part(head: bytes, body: bytes) -> bytes:
    return b"--b\r\n" + head + b"\r\n\r\n" + body + b"\r\n"


def mail(*parts: bytes) -> bytes:
    head = b"From: zoe@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return head + b"".join(parts) + b"--b--\r\n"


def test_all_files_of_a_mail_are_found_with_what_they_hold() -> None:
    raw = mail(
        part(b"Content-Type: text/html", b"<img src=cid:p>"),
        part(b"Content-Type: image/png\r\nContent-ID: <p>\r\nContent-Transfer-Encoding: base64", b"iVBORw0KGgo="),
        part(b"Content-Type: application/pdf; name*=utf-8''%C3%BC.pdf", b"%PDF\xff"),
        part(b"Content-Type: message/rfc822", INNER),
        part(b"Content-Type: message/rfc822; name=kept", INNER),
        part(b"Content-Type: text/plain", UUENCODED),
    )
    processing = ProcessingSection(enable_extract_uuencoded_file=True)
    found = enclosures(raw, processing=processing)
    assert [(file.name, file.content, file.content_type) for file in found] == [
        ("part-1.png", b"\x89PNG\r\n\x1a\n", "image/png"),
        ("ü.pdf", b"%PDF\xff", "application/pdf"),
        ("inner.eml", INNER, "message/rfc822"),
        ("kept.eml", INNER, "message/rfc822"),
        ("old.txt", b"Cat", "application/octet-stream"),
    ]
    held = tuple(file for file, _ in files(raw, processing=processing))
    assert held == facts(raw, processing=processing).attachments


def test_they_arrive_as_they_were_when_the_mail_is_forwarded() -> None:
    raw = mail(
        part(b"Content-Type: application/pdf; name=a.pdf", b"%PDF\xff"),
        part(b"Content-Type: message/rfc822", INNER),
        part(b"Content-Type: message/rfc822", INNER + b"\xff\r\n"),
        part(b"Content-Type: message/delivery-status", b"Reporting-MTA: dns; x"),
    )
    forwarded = composed(text="see below", attachments=enclosures(raw))
    on_the_wire(forwarded)
    kinds = [one.get_content_type() for one in parsed(forwarded).iter_attachments()]
    assert kinds == ["application/pdf", "message/rfc822", "application/octet-stream", "application/octet-stream"]
    again = enclosures(forwarded.raw)
    assert [(one.name, one.content) for one in again] == [(one.name, one.content) for one in enclosures(raw)]


def test_what_files_hold_is_kept_only_where_it_is_asked_for() -> None:
    """A mail that comes in may be large, and only its attachments' names and sizes are remembered."""
    parts = leaves(parsed_mail(mail(part(b"Content-Type: a/b", b"x")), MimeProperties()), MimeProperties())
    assert contents(parts, MimeProperties(), uuencoded=False).files == []
    assert contents(parts, MimeProperties(), uuencoded=False, files_too=True).files == [b"x"]


def test_a_mail_without_files_has_none() -> None:
    assert enclosures(composed(text="x", html="<p>x").raw) == ()


def test_a_mail_that_cannot_be_taken_apart_is_one_file() -> None:
    raw = mail(*[part(b"Content-Type: a/b", b"x")] * (PARTS + 1))
    assert enclosures(raw) == (Enclosed(name="Original message.eml", content=raw, content_type="message/rfc822"),)
    assert [file for file, _ in files(raw)] == list(facts(raw).attachments)


@given(st.binary(max_size=300))
def test_the_files_are_those_that_the_facts_name(raw: bytes) -> None:
    for content in (raw, mail(raw), mail(part(b"Content-Type: application/x; name=x", raw))):
        assert tuple(file for file, _ in files(content)) == facts(content).attachments
        assert [file.size for file, _ in files(content)] == [len(held) for _, held in files(content)]
        on_the_wire(composed(attachments=enclosures(content)))
