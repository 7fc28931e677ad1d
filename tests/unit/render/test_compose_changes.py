"""A composed mail with one field more or another one: all else stays byte for byte."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emaild.errors import InputError
from emaild.mime.view import facts
from emaild.render.compose import Composed, asked, with_subject
from emaild.settings.properties import MimeProperties
from tests.composing import composed, on_the_wire, parsed

RECEIPT = b"Disposition-Notification-To: <ann@example.com>\r\n"
BODY = "Subject: in the text\nDisposition-Notification-To: <in@the.text>\n\nmore\n"


@pytest.fixture
def mail() -> Composed:
    return composed(subject="word " * 40 + "ü", text=BODY, headers=(("X-Subject", "a"), ("Subject-Line", "b")))


def test_a_read_receipt_is_asked_for_once_and_nothing_else_changes(mail: Composed) -> None:
    found = asked(mail, "Ann <ann@example.com>")
    on_the_wire(found)
    assert found.raw.count(RECEIPT) == 1
    assert found.raw.replace(RECEIPT, b"") == mail.raw
    assert replace(found, raw=mail.raw) == mail
    assert asked(found, "ann@example.com") == found
    assert parsed(asked(found, "zoe@example.com")).get_all("Disposition-Notification-To") == ["<zoe@example.com>"]


@pytest.mark.parametrize("address", ["", "nobody", "a@b.c, d@e.f", "a@b.c\r\nBcc: x@y.z", "a@b.c\0", "<a@b.c>\n"])
def test_a_read_receipt_goes_to_one_address(mail: Composed, address: str) -> None:
    with pytest.raises(InputError, match=r"is no(t one)? e-mail address"):
        asked(mail, address)


def test_a_broken_address_gets_a_read_receipt_where_the_way_out_takes_it(mail: Composed) -> None:
    with pytest.raises(InputError):
        asked(mail, "a..b@example.com")
    found = asked(mail, "a..b@example.com", MimeProperties(address_strict=False))
    assert parsed(found)["Disposition-Notification-To"] == "<a..b@example.com>"


@pytest.mark.parametrize(
    "subject", ["Hello", "", "Grüße " * 30, "x" * 2000, "=?utf-8?q?x?="], ids=lambda text: text[:9]
)
def test_another_subject_stands_in_the_place_of_the_old_one(mail: Composed, subject: str) -> None:
    found = with_subject(mail, subject, MimeProperties())
    on_the_wire(found)
    assert parsed(found).keys() == parsed(mail).keys()
    assert facts(found.raw).subject == ("x" if "utf-8" in subject else subject.strip())
    assert replace(found, raw=mail.raw) == mail
    assert with_subject(found, "word " * 40 + "ü") == mail


def test_another_subject_is_written_as_the_way_out_and_the_service_want_it(mail: Composed) -> None:
    assert b"Subject: =?windows-1252?" in with_subject(mail, "ü", MimeProperties(charset="cp1252")).raw
    assert b"Subject: =?windows-1252?" in with_subject(mail, "ü", charset="cp1252").raw
    long = with_subject(mail, "word " * 40 + "end", MimeProperties(foldtext=False)).raw
    assert b"Subject: " + b"word " * 40 + b"end\r\n" in long


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@y.z", "a\n", "a\x85", "\u2028", "a\0", "\ud800"], ids=ascii)
def test_a_subject_that_would_be_another_field_is_refused(mail: Composed, subject: str) -> None:
    with pytest.raises(InputError, match="Subject: a line break or control character"):
        with_subject(mail, subject)
