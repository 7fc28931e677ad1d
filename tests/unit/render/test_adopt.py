"""A finished mail is sent as it is; what a 7-bit server needs is made of it without loss."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.errors import InputError
from emaild.mime.view import facts
from emaild.render.compose import Composed
from emaild.render.finished import adopt, seven_bit

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HEAD = b"From: ann@example.com\r\nTo: bob@example.com\r\nMessage-ID: <1@x>\r\nDate: Mon, 02 Mar 2026 09:30:00 +0000\r\n"


def adopted(raw: bytes, *recipients: str, domain: str = "") -> Composed:
    return adopt(raw, now=NOW, domain=domain, recipients=recipients)


def test_a_mail_that_lacks_nothing_is_sent_byte_for_byte() -> None:
    raw = (
        HEAD
        + b"X-Odd:   spaces  \r\n\tand tabs\r\nDKIM-Signature: v=1; b=AB\r\n CD\r\n\r\n.\r\n..\r\n\r\nGr\xfc\xdfe\r\n"
    )
    mail = adopted(raw)
    assert mail.raw == raw
    assert (mail.sender, mail.recipients, mail.message_id) == ("ann@example.com", ("bob@example.com",), "<1@x>")


@given(st.binary(max_size=200))
def test_a_body_keeps_its_bytes_but_for_line_ends(body: bytes) -> None:
    expected = re.sub(rb"\r\n|\r|\n", b"\r\n", body)
    sent = adopted(HEAD + b"\r\n" + body).raw
    assert sent == HEAD + b"\r\n" + expected
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", sent) is None


def test_bare_line_ends_cannot_end_the_mail_early() -> None:
    """SMTP smuggling: a server that takes a bare LF for a line end would see a second mail here."""
    sent = adopted(HEAD.replace(b"\r\n", b"\n") + b"\nx\n.\nMAIL FROM:<evil@example.com>\r.\rx").raw
    assert sent == HEAD + b"\r\nx\r\n.\r\nMAIL FROM:<evil@example.com>\r\n.\r\nx"


@pytest.mark.parametrize(
    "field",
    [
        b"Bcc: eve@example.com",
        b"BCC: eve@example.com",
        b"Bcc : eve@example.com",
        b"Bcc:\r\n eve@example.com,\r\n\teve@example.com",
        b"Bcc: eve@example.com\r\nBcc: eve@example.com",
    ],
)
def test_nobody_learns_of_bcc_and_everybody_in_it_gets_the_mail(field: bytes) -> None:
    mail = adopted(field + b"\r\n" + HEAD + b"\r\nbody")
    assert mail.recipients == ("bob@example.com", "eve@example.com")
    assert mail.raw == HEAD + b"\r\nbody"


def test_a_resent_bcc_goes_too() -> None:
    assert b"eve" not in adopted(HEAD + b"Resent-Bcc: eve@example.com\r\n\r\nbody").raw


def test_a_body_that_speaks_of_bcc_keeps_it() -> None:
    raw = HEAD + b"\r\nBcc: eve@example.com\r\n"
    assert adopted(raw).raw == raw


def test_what_is_missing_is_added() -> None:
    mail = adopted(b"From: ann@example.com\r\nTo: bob@example.com\r\n\r\nbody\r\n", domain="ids.example")
    assert re.fullmatch(r"<[0-9a-f]{32}@ids\.example>", mail.message_id)
    found = facts(mail.raw)
    assert (found.message_id, found.date, found.text) == (mail.message_id, NOW, "body\n")


@pytest.mark.parametrize("wrong", [b"Message-ID: none\r\n", b"Message-ID:\r\n", b"Message-ID: <a b>\r\n <c>\r\n"])
def test_an_id_that_is_none_is_replaced(wrong: bytes) -> None:
    mail = adopted(wrong + b"From: ann@example.com\r\nTo: bob@example.com\r\n\r\n")
    assert mail.raw.lower().count(b"message-id:") == 1
    assert facts(mail.raw).message_id == mail.message_id


def test_the_envelope_comes_from_the_header_or_is_given() -> None:
    raw = b'Sender: desk@example.com\r\nCc: "Doe, John" <john@example.com>,\r\n carl@example.com\r\n' + HEAD + b"\r\n"
    mail = adopted(raw)
    assert (mail.sender, mail.recipients) == (
        "desk@example.com",
        ("bob@example.com", "john@example.com", "carl@example.com"),
    )
    assert adopted(raw, "other@example.com").recipients == ("other@example.com",)


def test_names_in_the_header_may_be_encoded_or_8_bit() -> None:
    raw = b"From: J\xc3\xbcrgen <j@example.com>\r\nTo: =?utf-8?q?M=C3=BCller=2C_Ann?= <ann@example.com>\r\n\r\n"
    mail = adopted(raw)
    assert (mail.sender, mail.recipients) == ("j@example.com", ("ann@example.com",))
    assert mail.raw.startswith(raw.rstrip())


@pytest.mark.parametrize("blanks", [b" ", b" \t", b"\t "])
def test_a_from_with_blanks_before_its_colon_is_no_line_of_an_mbox(blanks: bytes) -> None:
    """RFC 5322 §4.5.2."""
    raw = HEAD.replace(b"From:", b"From" + blanks + b":") + b"\r\nHello\r\n"
    mail = adopted(raw)
    assert (mail.raw, mail.sender) == (raw, "ann@example.com")


def test_the_line_that_an_mbox_puts_above_a_mail_is_not_sent() -> None:
    assert adopted(b"From ann@example.com Mon Mar  2 09:30:00 2026\n" + HEAD + b"\r\nFrom me\r\n").raw == (
        HEAD + b"\r\nFrom me\r\n"
    )


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        (b"", "has no From"),
        (b"To: bob@example.com\r\n\r\n", "has no From"),
        (b"From: ann@example.com\r\n\r\n", "needs a recipient"),
        (b"From: ann@example.com\r\nTo: undisclosed-recipients:;\r\n\r\n", "needs a recipient"),
        (b"From: nobody\r\nTo: bob@example.com\r\n\r\n", "no e-mail address"),
        (b"From: ann@example.com\r\nTo: bob@example.com; carl@example.com\r\n\r\n", "no e-mail address"),
        (b"From: ann@example.com\r\nthis is no field\r\nTo: bob@example.com\r\n\r\n", "line that is no field"),
        (b" folded: x\r\nFrom: ann@example.com\r\nTo: bob@example.com\r\n\r\n", "line that is no field"),
        (b"\x89PNG\r\n\x1a\n", "line that is no field"),
    ],
)
def test_what_cannot_be_sent_is_refused(raw: bytes, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        adopted(raw)


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_sent_or_refused(raw: bytes) -> None:
    for content in (raw, HEAD + raw):
        try:
            adopted(content)
        except InputError:
            continue


def test_an_8_bit_mail_is_encoded_for_a_7_bit_server_and_says_the_same() -> None:
    raw = (
        HEAD + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        b"Gr\xc3\xbc\xc3\x9fe\r\n.\r\n--b\r\n"
        b"Content-Type: application/octet-stream; name=a.bin\r\n\r\n\xff\x00\xfe\r\n--b--\r\n"
    )
    encoded = seven_bit(raw)
    assert encoded is not None
    assert encoded.isascii()
    before, after = facts(raw), facts(encoded)
    assert after == before
    assert after.text == "Grüße\n."
    assert [one.size for one in after.attachments] == [3]


def test_an_8_bit_mail_from_before_mime_can_be_decoded_by_its_reader() -> None:
    encoded = seven_bit(HEAD + b"\r\nGr\xc3\xbc\xc3\x9fe\r\n")
    assert encoded is not None
    assert b"\r\nMIME-Version: 1.0\r\n" in encoded
    assert facts(encoded).text == "Grüße\n"


def test_a_7_bit_mail_stays_as_it_is() -> None:
    raw = HEAD + b"\r\nFrom me\r\n.\r\n"
    assert seven_bit(raw) == raw


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"Subject: Gr\xc3\xbc\xc3\x9fe\r\n\r\nbody\r\n",
        HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr\xc3\xbc=C3=9Fe\r\n",
        HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" * 2000 + b"\xff",
        HEAD + b"Content-Type: text/plain; x*" + b"9" * 5000 + b"=1\r\n\r\n\xff",
    ],
    ids=["header", "wrong label", "deep", "digits"],
)
def test_what_cannot_be_encoded_without_loss_is_not_encoded(raw: bytes) -> None:
    encoded = seven_bit(raw)
    assert encoded is None or facts(encoded).text == facts(raw).text


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_encoded_or_not(raw: bytes) -> None:
    for content in (raw, HEAD + b"\r\n" + raw):
        encoded = seven_bit(content)
        assert encoded is None or encoded.isascii()
