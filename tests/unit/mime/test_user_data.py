"""The attached data: their keys, their types, what of a mail goes into them and how much."""

from __future__ import annotations

import json
import re

import pytest

from emaild.message import Attachment, Facts, Report, ReportKind
from emaild.mime.user_data import LONGEST, user_data
from emaild.mime.view import facts
from emaild.settings.processing import ProcessingSection

PLAIN = ProcessingSection()


def data(said: Facts, processing: ProcessingSection = PLAIN, **more: object) -> dict[str, str | int]:
    return user_data(said, mailbox="desk@shop.example", processing=processing, **more)  # type: ignore[arg-type]


def with_cc(value: str, limit: int) -> str | int:
    return data(Facts(headers=(("Cc", value),)), ProcessingSection(cc_userdata_limit=limit))["Cc"]


def test_a_mail_has_the_keys_and_types_of_genesys_in_a_fixed_order() -> None:
    raw = (
        b"Received: from b by c;\r\n\tThu, 1 May 2025 10:00:02 +0000\r\nReceived: from a by b\r\n"
        b'From: "Ann Other" <ann@home.example>\r\nTo: Desk <desk@shop.example>,\r\n bob@shop.example\r\n'
        b"Message-ID: <1@home.example>\r\nContent-Type: text/plain;\r\n charset=utf-8\r\nMIME-Version: 1.0\r\n"
        b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nhello\r\n"
    )
    assert list(data(facts(raw)).items()) == [
        ("Mailbox", "desk@shop.example"),
        ("To", "Desk <desk@shop.example>, bob@shop.example"),
        ("FromAddress", "ann@home.example"),
        ("FromPersonal", "Ann Other"),
        ("Subject", "Grüße"),
        ("Origination_Source", "Email"),
        ("_ContainsAttachment", "false"),
        ("_AttachmentFileNames", ""),
        ("_AttachmentsSize", "0"),
        ("_AutoReplyCount", 0),
        ("Header_Received", "from b by c; Thu, 1 May 2025 10:00:02 +0000"),
        ("Header_From", '"Ann Other" <ann@home.example>'),
        ("Header_To", "Desk <desk@shop.example>, bob@shop.example"),
        ("Header_Message-ID", "<1@home.example>"),
        ("Header_Content-Type", "text/plain; charset=utf-8"),
        ("Header_MIME-Version", "1.0"),
        ("Header_Subject", "=?utf-8?q?Gr=C3=BC=C3=9Fe?="),
    ]


def test_a_mail_that_says_nothing_has_the_keys_that_are_always_there() -> None:
    assert data(Facts()) == {
        "Mailbox": "desk@shop.example",
        "To": "",
        "FromAddress": "",
        "FromPersonal": "",
        "Subject": "",
        "Origination_Source": "Email",
        "_ContainsAttachment": "false",
        "_AttachmentFileNames": "",
        "_AttachmentsSize": "0",
        "_AutoReplyCount": 0,
    }


def test_attachments_are_named_and_summed() -> None:
    files = (
        Attachment(name="bill.pdf", content_type="application/pdf", size=1200),
        Attachment(name="logo.png", content_type="image/png", size=34, inline=True),
    )
    found = data(Facts(attachments=files), ProcessingSection(attachment_file_names_separator=", "))
    assert found["_ContainsAttachment"] == "true"
    assert found["_AttachmentFileNames"] == "bill.pdf, logo.png"
    assert found["_AttachmentsSize"] == "1234"
    assert data(Facts(attachments=files))["_AttachmentFileNames"] == "bill.pdf;logo.png"


def test_automatic_replies_are_a_number() -> None:
    assert data(Facts(), auto_replies=3)["_AutoReplyCount"] == 3


def test_a_wrapping_message_says_why() -> None:
    assert data(Facts(wrapped="too deep"))["_WrappingMessageReason"] == "too deep"


def test_what_a_report_says_is_attached() -> None:
    said: dict[str, str | int] = {"_DSNInfo.RecipientCount": 1, "_DSNInfo.Recipient1.Action": "failed"}
    found = data(Facts(report=Report(kind=ReportKind.DSN, user_data=said)))
    assert found.items() >= said.items()


def test_of_fields_of_one_name_the_first_counts_whatever_its_case() -> None:
    found = data(Facts(headers=(("X-Way", "first"), ("x-way", "second"), ("X-WAY", "third"))))
    assert {key: value for key, value in found.items() if key.startswith("Header_")} == {"Header_X-Way": "first"}


def test_recipients_in_several_fields_are_one_list() -> None:
    found = data(Facts(headers=(("to", "a@b.example"), ("CC", "c@d.example"), ("To", "e@f.example"))))
    assert (found["To"], found["Cc"]) == ("a@b.example, e@f.example", "c@d.example")


@pytest.mark.parametrize(
    ("limit", "kept"),
    [
        (0, '"Other, Ann" <ann@a.example>, (x, y) bob@b.example,cy@c.example'),
        (63, '"Other, Ann" <ann@a.example>, (x, y) bob@b.example,cy@c.example'),
        (62, '"Other, Ann" <ann@a.example>, (x, y) bob@b.example'),
        (50, '"Other, Ann" <ann@a.example>, (x, y) bob@b.example'),
        (49, '"Other, Ann" <ann@a.example>'),
        (28, '"Other, Ann" <ann@a.example>'),
        (27, ""),
        (1, ""),
    ],
)
def test_cc_is_cut_where_an_address_ends(limit: int, kept: str) -> None:
    assert with_cc('"Other, Ann" <ann@a.example>, (x, y) bob@b.example,cy@c.example', limit) == kept


def test_a_quote_in_a_name_does_not_end_it() -> None:
    assert with_cc(r'"a\", b" <a@b.example>, c@d.example', 30) == r'"a\", b" <a@b.example>'


def test_a_copy_has_its_recipient_in_its_header_and_no_sender_can_choose_it() -> None:
    said = Facts(headers=(("x-genesys-to", "boss@shop.example"), ("Subject", "x")))
    found = data(said, header=("X-Genesys-To", "bob@shop.example"))
    assert found["X-Genesys-To"] == found["Header_X-Genesys-To"] == "bob@shop.example"
    assert "boss@shop.example" not in found.values()


def test_recipients_without_end_are_cut_where_an_address_ends() -> None:
    to = "To: " + ",\r\n\t".join(f"ann.{number:06}@home.example" for number in range(10_000))
    found = str(data(facts(to.encode() + b"\r\n\r\n"))["To"])
    assert LONGEST - 30 < len(found) <= LONGEST
    assert re.fullmatch(r"ann\.\d{6}@home\.example(, ann\.\d{6}@home\.example)*", found)


@pytest.mark.parametrize(
    "header", [b"To: a\x00b\r\nCc: \xff\xfe,\r\n\t=?utf-8?q?=0A=0D?=\r\nX-\xe4: \r y\r\n", b"\xff"]
)
def test_values_are_single_lines_that_json_can_hold(header: bytes) -> None:
    found = data(facts(header + b"\r\n\r\n"))
    json.dumps(found, ensure_ascii=False).encode()
    assert not any(end in str(value) for value in found.values() for end in "\r\n")
