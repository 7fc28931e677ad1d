"""What the demo's mails promise to be: well-formed, each of its kind, and broken only where they mean to be."""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from email.policy import default

import pytest

from emaild.demo.mails import Sample, samples

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SAMPLES = {sample.title: sample for sample in samples(NOW)}


def parsed(title: str) -> EmailMessage:
    return email.message_from_bytes(SAMPLES[title].raw, policy=default)


def part(title: str, content_type: str) -> EmailMessage:
    return next(found for found in parsed(title).walk() if found.get_content_type() == content_type)


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=lambda sample: sample.title)
def test_every_line_ends_in_crlf(sample: Sample) -> None:
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", sample.raw) is None


@pytest.mark.parametrize("title", sorted(SAMPLES.keys() - {"multipart cut off"}))
def test_a_mail_is_whole_unless_it_is_meant_to_be_cut(title: str) -> None:
    assert [found.defects for found in parsed(title).walk() if found.defects] == []


def test_the_cut_multipart_has_no_end() -> None:
    assert [type(defect).__name__ for defect in parsed("multipart cut off").defects] == ["CloseBoundaryNotFoundDefect"]


def test_there_are_ten_to_twelve_mails_and_no_two_have_one_message_id() -> None:
    ids = {parsed(title)["Message-ID"] for title in SAMPLES}
    assert 10 <= len(samples(NOW)) == len(SAMPLES) == len(ids) <= 12


def test_the_same_time_gives_the_same_bytes_and_a_later_one_other_ids() -> None:
    assert samples(NOW) == samples(NOW)
    later = samples(NOW + timedelta(minutes=1))
    assert not {sample.raw for sample in samples(NOW)} & {sample.raw for sample in later}


def test_the_mails_are_of_the_last_two_days_and_the_oldest_comes_first() -> None:
    dates = [email.message_from_bytes(sample.raw, policy=default)["Date"].datetime for sample in samples(NOW)]
    assert dates == sorted(dates)
    assert NOW - timedelta(days=2) < dates[0]
    assert dates[-1] < NOW


def test_dates_stand_in_the_zone_that_was_given() -> None:
    here = NOW.astimezone(timezone(timedelta(hours=-5)))
    assert all(b"\r\nDate: " in sample.raw and b" -0500\r\n" in sample.raw for sample in samples(here))


def test_the_attachment_is_a_pdf_with_a_name_beyond_ascii() -> None:
    attached = part("HTML with a PDF", "application/pdf")
    content = attached.get_content()
    assert attached.get_filename() == "Rechnung Großhandel Weiß 2026-0815.pdf"
    assert b"filename*=utf-8''Rechnung" in SAMPLES["HTML with a PDF"].raw
    assert content.startswith(b"%PDF-1.4")
    table = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n$", content)[0])
    assert content[table:].startswith(b"xref\n")
    for number, place in enumerate(re.findall(rb"(\d{10}) 00000 n ", content), 1):
        assert content[int(place) :].startswith(b"%d 0 obj" % number)


def test_the_picture_is_shown_from_within_the_mail() -> None:
    picture = part("HTML with an inline image", "image/png")
    assert picture["Content-ID"].strip("<>") in part("HTML with an inline image", "text/html").get_content()
    assert picture.get_content().startswith(b"\x89PNG\r\n\x1a\n")


def test_japanese_is_seven_bit_and_reads() -> None:
    assert SAMPLES["Japanese, ISO-2022-JP"].raw.isascii()
    assert "テント" in parsed("Japanese, ISO-2022-JP").get_content()
    assert parsed("Japanese, ISO-2022-JP")["Subject"] == "注文番号20417の返品について"


def test_the_bounce_says_who_was_not_reached_and_why() -> None:
    report = parsed("bounce")
    assert report.get_content_type() == "multipart/report"
    assert report["Content-Type"].params["report-type"] == "delivery-status"
    _, recipient = part("bounce", "message/delivery-status").iter_parts()
    assert recipient["Final-Recipient"] == "rfc822; petr.novak@mailbox.example"
    assert (recipient["Action"], recipient["Status"]) == ("failed", "5.1.1")
    assert b"<case-20388-2@shop.example>" in SAMPLES["bounce"].raw


def test_the_read_receipt_names_the_mail_that_was_read() -> None:
    report = parsed("read receipt")
    assert report["Content-Type"].params["report-type"] == "disposition-notification"
    raw = SAMPLES["read receipt"].raw
    assert b"\r\nOriginal-Message-ID: <case-20402-1@shop.example>\r\n" in raw
    assert b"\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n" in raw


@pytest.mark.parametrize("title", ["bounce", "read receipt", "out of office"])
def test_what_a_machine_answers_has_the_null_sender(title: str) -> None:
    """RFC 5321 §4.5.5, RFC 8098 §3, RFC 3834 §3.3."""
    assert SAMPLES[title].raw.startswith(b"Return-Path: <>\r\n")


def test_headers_tell_the_automatic_mails_from_the_others() -> None:
    automatic = {title for title in SAMPLES if parsed(title)["Auto-Submitted"]}
    lists = {title for title in SAMPLES if parsed(title)["List-Id"] and parsed(title)["List-Unsubscribe"]}
    assert automatic == {"bounce", "out of office"}
    assert lists == {"newsletter"}


def test_the_reply_names_what_it_answers_and_quotes_it() -> None:
    reply = parsed("reply with quoted text")
    assert reply["References"].split()[-1] == reply["In-Reply-To"] == "<case-20410-3@shop.example>"
    assert "\n> > Where is my parcel?" in reply.get_content()


def test_the_mail_without_a_charset_is_windows_1252_and_nothing_else() -> None:
    raw = SAMPLES["8 bits without a charset"].raw
    assert "J’aimerais" in raw.decode("windows-1252")
    assert b"charset" not in raw
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")


def test_the_forwarded_mail_is_whole_within_the_other() -> None:
    inner = part("forwarded mail", "message/rfc822").get_content()
    assert inner["From"] == "Lars Holm <lars.holm@fjord.example>"
    assert "pegs" in inner.get_content()
