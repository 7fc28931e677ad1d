"""What a mail says: its texts and attachments, whole or broken."""

from __future__ import annotations

import base64

import pytest

from emaild.message import Attachment
from emaild.mime.view import facts
from emaild.settings.processing import ProcessingSection

PICTURED = "<p>1 <img src='cid:logo'></p>"


def mail(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


def part(content_type: str, body: str, *more: str) -> str:
    return "\r\n".join([f"Content-Type: {content_type}", *more, "", body])


def multipart(kind: str, *parts: str, boundary: str = "b", end: bool = True) -> str:
    inside = "".join(f"--{boundary}\r\n{one}\r\n" for one in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\npreamble\r\n{inside}' + (
        f"--{boundary}--\r\nepilogue" if end else ""
    )


def test_a_plain_mail_is_its_text() -> None:
    found = facts(mail("Subject: x", "", "one", "two", ""))
    assert (found.text, found.html, found.attachments) == ("one\ntwo\n", "", ())


def test_both_forms_of_a_text_are_found() -> None:
    found = facts(mail(multipart("alternative", part("text/plain", "plain"), part("text/html", "<p>html</p>"))))
    assert (found.text, found.html, found.attachments) == ("plain", "<p>html</p>", ())


def test_nested_parts_come_in_their_order() -> None:
    inner = multipart("alternative", part("text/plain", "one"), part("text/html", PICTURED), boundary="inner")
    related = multipart("related", inner, part("image/png", "AAAA", "Content-ID: <logo>"), boundary="related")
    found = facts(mail(multipart("mixed", related, part("application/pdf", "x"), part("text/plain", "two"))))
    assert (found.text, found.html) == ("one\ntwo", PICTURED)
    assert [(one.content_type, one.name, one.inline, one.content_id) for one in found.attachments] == [
        ("image/png", "part-1.png", True, "logo"),
        ("application/pdf", "part-2.pdf", False, None),
    ]


def test_a_text_with_a_name_is_an_attachment() -> None:
    found = facts(
        mail(
            multipart(
                "mixed",
                part("text/plain", "body"),
                part("text/plain; name=a.txt", "named"),
                part("text/html", "attached", "Content-Disposition: attachment"),
            )
        )
    )
    assert (found.text, found.html) == ("body", "")
    assert [(one.name, one.size) for one in found.attachments] == [("a.txt", 5), ("part-2.html", 8)]


def test_the_size_is_that_of_the_decoded_bytes() -> None:
    encoded = part("application/octet-stream", "AAECAwQ=", "Content-Transfer-Encoding: base64")
    (attachment,) = facts(encoded.encode()).attachments
    assert attachment.size == 5


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("attachment; filename=plain.txt", "plain.txt"),
        ('attachment; filename="with blank.txt"', "with blank.txt"),
        ("attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.txt", "Grüße.txt"),
        ("attachment; filename*0*=utf-8''Gr%C3%BC; filename*1*=%C3%9Fe; filename*2=.txt", "Grüße.txt"),
        ("attachment; filename*=iso-8859-1'de'Gr%FC%DFe.txt", "Grüße.txt"),
        ("attachment; filename*=no-such-charset''Gr%C3%BC.txt", "Grü.txt"),
        ("attachment; filename*=undefined''%C3%BC.txt", "ü.txt"),
        ('attachment; filename="=?utf-8?q?Gr=C3=BC=C3=9Fe=2Etxt?="', "Grüße.txt"),
        ("attachment; filename==?utf-8?q?Gr=C3=BC=C3=9Fe=2Etxt?=", "Grüße.txt"),
        ('attachment; filename="=?utf-8?q?Gr=C3=BC?=\r\n =?utf-8?q?=C3=9Fe=2Etxt?="', "Grüße.txt"),
        ('attachment; filename="Grüße.txt"', "Grüße.txt"),
        ("attachment; filename*999999999999999999999999999*=x", "x"),
        (f"attachment; filename*{'9' * 5000}=x", "part-1.pdf"),
        ('attachment; filename="a%0D%0Ab.txt"', "a%0D%0Ab.txt"),
        ("attachment; filename*=utf-8''a%0D%0Ab.txt", "a  b.txt"),
        ("attachment; filename=", "part-1.pdf"),
        ("attachment", "part-1.pdf"),
    ],
    ids=lambda value: value[:50],
)
def test_a_file_name_is_read_in_every_way_it_is_written(line: str, name: str) -> None:
    """RFC 2231 §3 and §4; encoded words there are against RFC 2047 §5 (3), and common."""
    found = facts(part("application/pdf", "x", f"Content-Disposition: {line}").encode())
    assert [one.name for one in found.attachments] == [name]


def test_a_file_name_in_windows_1252_is_read() -> None:
    raw = part("application/pdf", "x", 'Content-Disposition: attachment; filename="Größe.pdf"').encode("latin-1")
    assert facts(raw).attachments[0].name == "Größe.pdf"


def test_the_name_of_the_disposition_goes_before_that_of_the_type() -> None:
    raw = part('application/pdf; name="type.pdf"', "x", "Content-Disposition: attachment; filename=disposition.pdf")
    assert facts(raw.encode()).attachments[0].name == "disposition.pdf"
    assert facts(part('application/pdf; name="type.pdf"', "x").encode()).attachments[0].name == "type.pdf"


def test_an_enclosed_mail_is_one_attachment_that_is_not_looked_into() -> None:
    inner = mail("Subject: inner", "", multipart("mixed", part("application/pdf", "x"), boundary="inner"))
    raw = mail(multipart("mixed", part("text/plain", "see below"), part("message/rfc822", inner.decode())))
    found = facts(raw)
    assert (found.text, found.subject) == ("see below", "")
    (attachment,) = found.attachments
    assert (attachment.name, attachment.content_type) == ("inner.eml", "message/rfc822")
    assert attachment.size >= len(inner) - 10


@pytest.mark.parametrize(
    ("charset", "content", "meant"),
    [
        ("utf-8", "Grüße".encode(), "Grüße"),
        ('"UTF-8"', "Grüße".encode(), "Grüße"),
        ("utf8mb4", "Grüße".encode(), "Grüße"),
        ("iso-8859-15", b"\xa4", "€"),
        ("us-ascii", "Grüße".encode(), "Grüße"),
        ("us-ascii", "Grüße".encode("latin-1"), "Grüße"),
        ("utf-8", b"\x93quoted\x94", "“quoted”"),
        ("iso-2022-jp", "日本".encode("iso-2022-jp"), "日本"),
        ("gb2312", "镕".encode("gb18030"), "镕"),
        ("unknown-8bit", "Grüße".encode(), "Grüße"),
        ("base64", b"R3I=", "R3I="),
        ("rot13", b"abc", "abc"),
        ("undefined", b"\xff", "ÿ"),
        ("unicode_escape", b"\\q\xff", "\\qÿ"),
        ("idna", b"\xff", "ÿ"),
        ("", b"abc", "abc"),
    ],
)
def test_a_text_is_read_whatever_its_label_says(charset: str, content: bytes, meant: str) -> None:
    head = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    assert facts(head.encode() + content).text == meant


@pytest.mark.parametrize(
    ("encoding", "content", "meant"),
    [
        ("quoted-printable", b"Gr=C3=BC=\r\n=C3=9Fe =ZZ", "Grüße =ZZ"),
        ("base64", b"R3LDvMOfZQ==", "Grüße"),
        ("base64", b"R3LD\r\nvMOfZQ", "Grüße"),
        ("BASE64", b"R3LDvMOfZQ==\r\n\r\n-- \r\nsignature", None),
        ("base64", b"this is not base64!", None),
        ("x-uuencode", b"nothing of the kind", None),
        ("7bit", "Grüße".encode(), "Grüße"),
        ("no-such-encoding", b"plain", "plain"),
    ],
)
def test_a_text_is_read_whatever_its_encoding_says(encoding: str, content: bytes, meant: str | None) -> None:
    head = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    found = facts(head.encode() + content)
    assert meant is None or found.text == meant


def test_a_multipart_that_never_ends_gives_what_there_is() -> None:
    raw = mail("Subject: cut", multipart("mixed", part("text/plain", "one"), part("application/pdf", "tw"), end=False))
    found = facts(raw)
    assert (found.subject, found.text) == ("cut", "one")
    assert [one.content_type for one in found.attachments] == ["application/pdf"]


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/mixed",
        "multipart/mixed; boundary=",
        'multipart/mixed; boundary="nowhere"',
        "multipart/",
        "multipart",
        "/",
        "text",
        "text/plain; charset",
        ";",
        "text/plain;;;=;x",
        f"multipart/mixed; x*{'9' * 5000}=1; boundary=b",
    ],
    ids=lambda value: value[:30],
)
def test_a_content_type_that_is_none_loses_nothing_else(content_type: str) -> None:
    found = facts(mail("Subject: there", f"Content-Type: {content_type}", "", "--b", "", "body", "--b--"))
    assert found.subject == "there"
    assert found.text or found.attachments


@pytest.mark.parametrize("depth", [50, 2000])
@pytest.mark.parametrize("kind", ["multipart/mixed", "message/rfc822"])
def test_parts_in_parts_in_parts_lose_no_header(kind: str, depth: int) -> None:
    raw = b"Subject: deep\r\n"
    for number in range(depth):
        raw += f"Content-Type: {kind}; boundary=b{number}\r\n\r\n".encode()
        raw += f"--b{number}\r\n".encode() if kind.startswith("multipart") else b""
    assert facts(raw + b"\r\nbottom").subject == "deep"


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\r\n\r\n", b"\0", b"\xff\xfe", b"no header at all", b": x\r\n\r\ny"])
def test_what_is_no_mail_says_little_and_harms_nothing(raw: bytes) -> None:
    found = facts(raw)
    assert (found.subject, found.sender, found.attachments) == ("", "", ())


def test_a_report_keeps_its_parts() -> None:
    status = mail("Reporting-MTA: dns; mx.example.com", "", "Final-Recipient: rfc822; a@b.c", "Action: failed").decode()
    raw = mail(
        multipart(
            "report; report-type=delivery-status",
            part("text/plain", "It failed."),
            part("message/delivery-status", status),
            part("text/rfc822-headers", "Subject: original\r\n"),
        )
    )
    found = facts(raw)
    assert found.text == "It failed."
    assert [one.content_type for one in found.attachments] == ["message/delivery-status", "text/rfc822-headers"]
    assert all(isinstance(one, Attachment) and one.size > 10 for one in found.attachments)


def test_the_parts_of_a_digest_are_mails_where_they_do_not_say_otherwise() -> None:
    """RFC 2046 §5.1.5."""
    found = facts(mail(multipart("digest", "\r\nSubject: one\r\n\r\nbody", part("text/plain", "two"))))
    assert [one.content_type for one in found.attachments] == ["message/rfc822"]
    assert found.text == "two"


def test_a_delimiter_begins_its_line() -> None:
    found = facts(mail(multipart("mixed", part("text/plain", "one --b\r\nx--b--\r\ntwo"))))
    assert found.text == "one --b\nx--b--\ntwo"


def test_parts_in_parts_are_taken_apart_to_a_bound() -> None:
    raw = part("text/plain", "bottom")
    for number in range(200):
        raw = multipart("mixed", raw, boundary=f"b{number}x")
        if number == 20:
            assert facts(raw.encode()).text == "bottom"
    assert facts(raw.encode()).wrapped == "its parts lie more than 50 deep in one another"


def test_a_mail_beyond_a_limit_is_wrapped_and_says_whether_a_program_sent_it() -> None:
    raw = mail("From: a@b.example", "Subject: x", "Auto-Submitted: auto-replied", multipart("mixed", *["\r\nx"] * 1001))
    found = facts(raw)
    assert found.wrapped == "it has more than 1000 parts"
    assert (found.subject, found.sender) == ("x", "a@b.example")
    assert [(one.name, one.size) for one in found.attachments] == [("Original message.eml", len(raw))]
    assert found.automatic is not None


def test_the_header_says_who_wrote_and_where_answers_go() -> None:
    found = facts(
        mail("From: =?utf-8?q?J=C3=BCrg?= <j@b.example>", "Reply-To: r@b.example, s@b.example", "X-A: 1", "", "")
    )
    assert (found.sender_personal, found.sender) == ("Jürg", "j@b.example")
    assert found.reply_to == ("r@b.example", "s@b.example")
    assert found.headers[2] == ("X-A", "1")


@pytest.mark.parametrize(
    ("line", "path"),
    [("Return-Path: <a@b.example>", "a@b.example"), ("Return-Path: <>", ""), ("Return-path:", ""), ("X: y", None)],
)
def test_the_return_path_is_as_delivery_noted_it(line: str, path: str | None) -> None:
    """RFC 5321 §4.4 and §4.5.5."""
    assert facts(mail(line, "", "")).return_path == path


@pytest.mark.parametrize(
    "kind",
    ["message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers"],
)
@pytest.mark.parametrize("encoded", [False, True])
def test_the_message_ids_of_enclosed_mails_are_known(kind: str, encoded: bool) -> None:
    inner = "Message-ID: <inner@b.example>\r\nSubject: x\r\n\r\nMessage-ID: <text@b.example>\r\n"
    body = base64.b64encode(inner.encode()).decode() if encoded else inner
    more = ["Content-Transfer-Encoding: base64"] if encoded else []
    found = facts(mail("Message-ID: <outer@b.example>", multipart("mixed", part(kind, body, *more))))
    assert found.enclosed_ids == ("<inner@b.example>",)


def test_the_enclosed_message_ids_are_bounded() -> None:
    parts = [part("message/rfc822", f"Message-ID: <{number}@b.example>\r\n") for number in range(500)]
    assert len(facts(mail(multipart("mixed", *parts))).enclosed_ids) == 100


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("Your order", "Your order.eml"),
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße.eml"),
        ("a/b\\c: d?", "a_b_c: d?.eml"),
        ("../../etc", ".._.._etc.eml"),
        ("x" * 500, f"{'x' * 80}.eml"),
        ("", "part-1.eml"),
        ("...", "part-1.eml"),
    ],
)
def test_an_enclosed_mail_is_named_after_its_subject(subject: str, name: str) -> None:
    found = facts(mail(multipart("mixed", part("message/rfc822", f"Subject: {subject}\r\n\r\nx"))))
    assert [one.name for one in found.attachments] == [name]


def test_reply_and_quoted_text_are_both_there() -> None:
    found = facts(mail("Subject: x", "", "Yes.", "", "Ann wrote:", "> No?", ""))
    assert (found.reply, found.quoted) == ("Yes.", "Ann wrote:\n> No?")


def test_a_mail_of_html_alone_has_text_too() -> None:
    found = facts(part("text/html; charset=utf-8", "<p>Grüße</p><p>an alle</p>").encode())
    assert (found.text, found.html) == ("Grüße\n\nan alle\n", "<p>Grüße</p><p>an alle</p>")


def test_html_that_no_plain_text_stands_for_is_read_where_it_stands() -> None:
    """A mailing list puts its footer below a mail of HTML."""
    found = facts(mail(multipart("mixed", part("text/html", "<b>mail</b>"), part("text/plain", "footer"))))
    assert found.text == "mail\n\nfooter"


def test_html_beside_the_alternatives_is_read_too() -> None:
    both = multipart("alternative", part("text/plain", "plain"), part("text/html", "<p>html</p>"), boundary="inner")
    assert facts(mail(multipart("mixed", both, part("text/html", "<b>more</b>")))).text == "plain\nmore\n"


def test_html_around_a_file_is_one_alternative() -> None:
    """As Apple Mail puts files into the middle of a text."""
    pieces = [part("text/html", "<b>one</b>"), part("application/pdf", "x"), part("text/html", "<b>two</b>")]
    rich = multipart("mixed", *pieces, boundary="rich")
    found = facts(mail(multipart("alternative", part("text/plain", "one two"), rich)))
    assert (found.text, found.html) == ("one two", "<b>one</b>\n<b>two</b>")
    assert [one.name for one in found.attachments] == ["part-1.pdf"]


def test_html_is_read_where_its_plain_alternative_is_empty() -> None:
    found = facts(mail(multipart("alternative", part("text/plain", " \r\n"), part("text/html", "<b>there</b>"))))
    assert found.text == "there\n"


def test_the_text_for_other_readers_is_neither_text_nor_file() -> None:
    texts = [part("text/plain", "plain"), part("text/x-amp-html", "<html amp4email>"), part("text/html", "<p>html</p>")]
    found = facts(mail(multipart("alternative", *texts)))
    assert (found.text, found.html, found.attachments) == ("plain", "<p>html</p>", ())


def test_the_only_text_of_a_mail_is_its_text_though_it_has_a_name() -> None:
    named = part('text/plain; name="body.txt"', "here", "Content-Disposition: inline")
    found = facts(mail(multipart("mixed", named, part("application/pdf", "x"))))
    assert (found.text, [one.content_type for one in found.attachments]) == ("here", ["application/pdf"])
    attached = part("text/plain; name=a.txt", "file", "Content-Disposition: attachment")
    assert facts(attached.encode()).text == ""
    assert facts(attached.encode()).attachments[0].name == "a.txt"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("text/calendar; method=REQUEST", "invite.ics"),
        ("application/pkcs7-mime; smime-type=signed-data", "smime.p7m"),
        ("application/x-pkcs7-signature", "smime.p7s"),
        ("application/pgp-signature", "signature.asc"),
        ("image/jpeg", "part-1.jpg"),
        ("application/octet-stream", "part-1.bin"),
        ("message/delivery-status", "part-1.delivery-status"),
        ("application/" + "x" * 99, "part-1.bin"),
    ],
)
def test_what_has_no_name_gets_the_common_one(kind: str, name: str) -> None:
    assert [one.name for one in facts(part(kind, "x").encode()).attachments] == [name]


def test_the_parts_of_an_encrypted_mail_are_named() -> None:
    """RFC 3156 §4."""
    parts = part("application/pgp-encrypted", "Version: 1"), part("application/octet-stream", "-----BEGIN PGP MESSAGE")
    found = facts(mail(multipart("encrypted", *parts)))
    assert [one.name for one in found.attachments] == ["version.asc", "encrypted.asc"]


def test_a_part_is_inline_where_the_text_shows_it() -> None:
    related = [
        part("text/html", '<img src="cid:shown@x"><img src=cid:odd%25name>'),
        part("application/x", "1", "Content-ID: <shown@x>"),
        part("image/png", "2", "Content-ID: <odd%name>", "Content-Disposition: attachment"),
        part("image/png", "3", "Content-ID: <other@x>"),
        part("image/png", "4", "Content-Disposition: inline"),
        part("application/pdf", "5", "Content-Disposition: inline"),
    ]
    found = facts(mail(multipart("related", *related)))
    assert [one.inline for one in found.attachments] == [True, True, False, True, False]
    assert [one.content_id for one in found.attachments] == ["shown@x", "odd%name", "other@x", None, None]


def test_two_files_of_one_name_are_two() -> None:
    parts = [part("application/pdf", "x", f"Content-Disposition: attachment; filename={name}") for name in "aAa"]
    found = facts(mail(multipart("mixed", *parts)))
    assert [one.name for one in found.attachments] == ["a", "A", "a"]


@pytest.mark.parametrize("on", [False, True])
def test_uuencoded_files_in_the_text_become_attachments_where_the_option_says_so(on: bool) -> None:
    raw = mail("Subject: x", "", "before", "begin 644 a.txt", "#86)C", "`", "end", "after", "")
    found = facts(raw, processing=ProcessingSection(enable_extract_uuencoded_file=on))
    assert [(one.name, one.size) for one in found.attachments] == ([("a.txt", 3)] if on else [])
    assert ("begin" in found.text) is not on
    assert found.text.startswith("before\n")
    assert found.text.endswith("after\n")


def test_what_a_mail_is_filed_by_is_read_behind_a_field_beyond_the_limit() -> None:
    raw = mail(
        "X-Big: " + "a" * (3 << 20),
        "From: Ann <ann@x.example>",
        "Subject: real",
        "Message-ID: <1@x>",
        "",
        "Subject: no",
    )
    found = facts(raw)
    assert (found.subject, found.sender, found.message_id) == ("real", "ann@x.example", "<1@x>")
    assert found.wrapped is not None


def test_a_header_beyond_the_limit_without_a_subject_has_the_guides() -> None:
    found = facts(mail("X-Big: " + "a" * (3 << 20), "From: Ann <ann@x.example>", "", "Subject: no"))
    assert (found.subject, found.sender) == ("Unknown subject", "ann@x.example")


def test_lines_of_a_text_end_alike_however_they_were_sent() -> None:
    raw = b"Subject: x\r\rYes.\r\rOn Mon, 1 Jan 2024 at 10:00, S <s@y.example> wrote:\r> Do?\r"
    found = facts(raw)
    assert (found.reply, found.quoted) == ("Yes.", "On Mon, 1 Jan 2024 at 10:00, S <s@y.example> wrote:\n> Do?")
    assert facts(b"Subject: x\r\r\n\r\r\none\r\r\ntwo").text == "one\ntwo"


def test_a_stray_line_in_front_of_a_mail_may_begin_with_a_blank() -> None:
    found = facts(mail(" stray", "From: Ann <ann@x.example>", "Subject: real", "", "text"))
    assert (found.subject, found.sender, found.text) == ("real", "ann@x.example", "text")


def test_a_multipart_of_its_end_alone_says_nothing() -> None:
    assert facts(mail("Content-Type: multipart/mixed; boundary=BB", "", "--BB--", "")).text.strip() == ""


def test_a_leap_second_is_a_second() -> None:
    found = facts(mail("Date: Mon, 1 Jan 2024 10:00:60 +0000", "", ""))
    assert found.date is not None
    assert found.date.isoformat() == "2024-01-01T10:00:59+00:00"
