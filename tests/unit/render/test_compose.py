"""The texts and files of a mail out: what goes on the wire, read back by the library and by our own view."""

from __future__ import annotations

import re

import pytest

from emaild.errors import InputError
from emaild.mime.view import facts
from emaild.render.compose import Enclosed
from tests.composing import composed, on_the_wire, parsed

TEXTS = [
    "Hello,\n\nplain.\n",
    "Grüße aus 日本 \N{PILE OF POO}\n",
    "日本語" * 1000,
    "x" * 5000,
    "ü" + "x" * 5000,
    ".\n..\n.dot\n\n.\n",
    "From me\n>From you\n",
    "windows\r\nline\r\nends\r\n",
    "old mac\rline\rends\r",
    "trailing blanks  \n\t\n",
    "\x0b\x0c\x1c\x85\u2028 other breaks",
    "a" * 600 + "\x0b" + "b" * 600,
    "no end",
    "=20 = == =\n",
    "before\0after",
    "",
]


def as_read(text: str) -> str:
    """What is read of it: line ends are one character, and NUL, which no store takes, is left out."""
    return re.sub("\r\n?", "\n", text).replace("\0", "")


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:20]))
def test_any_text_arrives_as_it_was(text: str) -> None:
    mail = composed(text=text, subject="x")
    on_the_wire(mail)
    expected = as_read(text)
    assert facts(mail.raw).text == (expected if expected.endswith("\n") else expected + "\n")


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:20]))
def test_html_arrives_beside_its_text(text: str) -> None:
    mail = composed(text="plain", html=f"<p>{text}</p>")
    on_the_wire(mail)
    found = facts(mail.raw)
    assert found.text == "plain\n"
    assert found.html == f"<p>{as_read(text)}</p>\n"


def test_html_alone_is_one_part() -> None:
    message = parsed(composed(html="<p>x</p>"))
    assert message.get_content_type() == "text/html"


def test_a_text_that_can_be_read_plainly_is_sent_plainly() -> None:
    lines = on_the_wire(composed(text="Hello,\n.\nFrom me"))
    assert lines[-4:] == [b"Hello,", b".", b"From me", b""]


@pytest.mark.parametrize("said", [{"text": "\udc80"}, {"html": "\ud800"}])
def test_a_text_that_is_no_unicode_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(InputError, match="is no Unicode text"):
        composed(**said)


def test_attachments_arrive_with_their_names_byte_for_byte() -> None:
    files = (
        Enclosed(name="plain.txt", content=b"a\r\n.\r\nb\n\r\0\xff"),
        Enclosed(name="Grüße aus 日本.pdf", content=bytes(range(256)) * 100),
        Enclosed(name="日本語" * 40 + ".docx", content=b""),
        Enclosed(name='quoted "name"; x.txt', content=b"x"),
        Enclosed(name="mail.eml", content=b"Subject: x\r\n\r\n" + b"y" * 2000),
        Enclosed(name="archive.tar.gz", content=b"\x1f\x8b"),
        Enclosed(name="no type", content=b"x"),
    )
    mail = composed(text="see below", attachments=files)
    on_the_wire(mail)
    parts = list(parsed(mail).iter_attachments())
    assert [(one.get_filename(), one.get_payload(decode=True)) for one in parts] == [
        (file.name, file.content) for file in files
    ]
    assert [one.size for one in facts(mail.raw).attachments] == [len(file.content) for file in files]


@pytest.mark.parametrize(
    ("name", "read"),
    [("a\r\nBcc: x@y.z", "a Bcc: x@y.z"), ("a\u2028\x85b", "a  b"), ("a\udcff.txt", "a\ufffd.txt"), ("a\0b", "a_b")],
    ids=ascii,
)
def test_a_file_name_cannot_break_the_header(name: str, read: str) -> None:
    mail = composed(attachments=(Enclosed(name=name, content=b"x"),))
    on_the_wire(mail)
    assert [one.name for one in facts(mail.raw).attachments] == [read]
    assert parsed(mail)["Bcc"] is None


def kinds(*files: Enclosed) -> list[str]:
    mail = composed(text="see below", attachments=files)
    on_the_wire(mail)
    parts = list(parsed(mail).iter_attachments())
    assert [one.size for one in facts(mail.raw).attachments] == [len(file.content) for file in files]
    return [part.get_content_type() for part in parts]


def test_an_attachment_keeps_the_type_that_is_known_of_it() -> None:
    said = (
        "application/pdf",
        "IMAGE/PNG",
        "",
        "text/html",
        "no type",
        "a/b; name=x",
        "a/b\r\nBcc: x@y.z",
        "a/" + "b" * 200,
    )
    used = ("application/pdf", "image/png", "text/plain", "text/html") + ("text/plain",) * 4
    assert kinds(*(Enclosed(name="x.txt", content=b"\xff", content_type=one) for one in said)) == list(used)


def test_no_attachment_is_a_part_that_holds_others_unless_it_is_a_plain_mail() -> None:
    """RFC 2046 §5.2.1: no encoding but 7bit or 8bit is allowed on them."""
    said = ("message/partial", "multipart/mixed", "message/delivery-status", "message/global")
    found = kinds(*(Enclosed(name="x.eml", content=b"a: b\r\n\r\n", content_type=one) for one in (*said, "")))
    assert found == ["application/octet-stream"] * 5


def test_a_plain_mail_is_attached_as_a_mail() -> None:
    enclosed = "Subject: inner\r\nMessage-ID: <in@example.com>\r\n\r\n--x\r\n.\r\nFrom me\r\n"
    file = Enclosed(name="ü.eml", content=enclosed.encode(), content_type="message/rfc822")
    assert kinds(file) == ["message/rfc822"]
    mail = composed(text="see below", attachments=(file,))
    assert enclosed.encode() in mail.raw
    found = facts(mail.raw)
    assert (found.enclosed_ids, found.attachments[0].name) == (("<in@example.com>",), "ü.eml")
    lines = composed(attachments=(Enclosed(name="x", content=b"a: b\n\nc\rd", content_type="message/rfc822"),))
    assert b"\r\n\r\na: b\r\n\r\nc\r\nd\r\n--" in lines.raw


@pytest.mark.parametrize(
    "content", [b"a: \xff\r\n\r\n", b"a: b\r\n\r\n\0", b"a: b\r\n\r\n" + b"x" * 999], ids=["8", "0", "long"]
)
def test_a_mail_that_is_not_plain_is_attached_as_a_file(content: bytes) -> None:
    assert kinds(Enclosed(name="x.eml", content=content, content_type="message/rfc822")) == ["application/octet-stream"]


@pytest.mark.parametrize("name", ["x" + '"' * 890 + "x", "\\" * 899])
def test_a_file_name_of_quotes_is_no_line_that_servers_refuse(name: str) -> None:
    mail = composed(attachments=(Enclosed(name=name, content=b"x"),))
    on_the_wire(mail)
    (part,) = parsed(mail).iter_attachments()
    assert part.get_filename() == name
