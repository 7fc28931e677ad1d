"""A mail in somebody else's name: who it is from, and who gets the answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emaild.errors import InputError
from emaild.render.compose import Composed, sent_by
from emaild.render.finished import adopt
from emaild.settings.properties import MimeProperties
from tests.clock import START
from tests.composing import composed, on_the_wire, parsed

OFFICE = "Office <office@corp.example>"


def finished(*fields: bytes, body: bytes = b"From: in the text\r\n") -> Composed:
    """A finished mail with these fields, and To."""
    raw = b"\r\n".join([*fields, b"To: zoe@example.com", b"Message-ID: <1@x.example>", b"", body])
    return adopt(raw, now=START, domain="x.example")


def names(mail: Composed) -> list[bytes]:
    """The names of its fields, as they stand."""
    return [line.partition(b":")[0] for line in mail.raw.partition(b"\r\n\r\n")[0].split(b"\r\n") if line[:1] != b" "]


def test_the_author_is_another_and_gets_no_answers() -> None:
    before = composed(sender="Ann <ann@example.com>", text="From: in the text\n\nmore")
    mail = sent_by(before, OFFICE)
    on_the_wire(mail)
    assert (mail.sender, mail.recipients, mail.message_id) == (
        "office@corp.example",
        before.recipients,
        before.message_id,
    )
    assert (parsed(mail)["From"], parsed(mail)["Reply-To"]) == (OFFICE, "Ann <ann@example.com>")
    assert mail.raw.partition(b"\r\n\r\n")[2] == before.raw.partition(b"\r\n\r\n")[2]
    assert names(mail).count(b"From") == 1


def test_answers_go_where_the_mail_says_already() -> None:
    before = composed(sender="ann@example.com", headers=(("Reply-To", "desk@example.com"),))
    assert parsed(sent_by(before, OFFICE)).get_all("Reply-To") == ["desk@example.com"]


def test_a_reply_to_that_says_nothing_is_none() -> None:
    mail = sent_by(finished(b"From: ann@example.com", b"Reply-To: "), OFFICE)
    assert parsed(mail).get_all("Reply-To") == ["ann@example.com"]


def test_all_authors_get_the_answers() -> None:
    mail = sent_by(finished(b"From: ann@example.com,\r\n bob@example.com", b"Sender: ann@example.com"), OFFICE)
    assert parsed(mail)["Reply-To"] == "ann@example.com, bob@example.com"
    assert parsed(mail).get_all("Sender") is None


@pytest.mark.parametrize(
    "author",
    [
        b"=?utf-8?q?B=C3=BCro?= <a@b.example>",
        "Büro <a@b.example>".encode(),
        b"B\xfcro <a@b.example>",
        b"\r\n\tAnn\r\n <a@b.example>",
        b"a@b.example (Ann)",
    ],
)
def test_the_old_author_stands_in_reply_to_as_he_was_written(author: bytes) -> None:
    before = replace(composed(), raw=b"From: " + author + b"\r\nTo: zoe@example.com\r\nSubject: x\r\n\r\nHi\r\n")
    mail = sent_by(before, OFFICE)
    assert b"\r\nReply-To: " + author + b"\r\n" in mail.raw
    assert mail.raw.startswith(b"From: Office <office@corp.example>\r\nTo: zoe@example.com\r\n")
    assert mail.raw.endswith(b"\r\n\r\nHi\r\n")


@pytest.mark.parametrize("field", [b"From : ann@example.com", b"FROM:ann@example.com", b"from\t: ann@example.com"])
def test_a_from_in_another_spelling_is_replaced_too(field: bytes) -> None:
    mail = sent_by(finished(b"Subject: x", field), OFFICE)
    assert [name.strip().lower() for name in names(mail)].count(b"from") == 1
    assert b"Reply-To:" in mail.raw
    assert parsed(mail)["From"] == OFFICE


def test_who_resent_the_mail_before_is_still_told() -> None:
    past = b"Resent-From: bob@example.com"
    mail = sent_by(finished(past, b"From: ann@example.com", b"Sender: bob@example.com"), OFFICE)
    assert past in mail.raw
    assert mail.sender == "office@corp.example"


def test_a_null_sender_stays_one() -> None:
    mail = sent_by(replace(composed(sender="ann@example.com"), sender=""), OFFICE)
    assert mail.sender == ""
    assert parsed(mail)["From"] == OFFICE


def test_a_name_beyond_ascii_is_written_as_the_way_out_wants_it() -> None:
    mail = sent_by(composed(), "Büro <office@corp.example>", MimeProperties(charset="iso-8859-1"))
    on_the_wire(mail)
    assert b"From: =?iso-8859-1?" in mail.raw
    assert parsed(mail)["From"] == "Büro <office@corp.example>"


@pytest.mark.parametrize("author", ["", "nobody", "a@b.example, c@d.example", "a@b.example\r\nBcc: x@y.example"])
def test_an_author_is_one_address(author: str) -> None:
    with pytest.raises(InputError, match="sender-override"):
        sent_by(composed(), author)


def test_a_header_of_many_fields_takes_no_longer_for_each() -> None:
    many = b"".join(b"X-%d: y\r\n" % number for number in range(300_000))
    before = replace(composed(), raw=b"From: a@b.example\r\n" + many + b"\r\nHi\r\n")
    assert len(sent_by(before, OFFICE).raw) > len(many)
