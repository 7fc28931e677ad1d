"""Header fields as people and programs write them, rightly and wrongly."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from emaild.mime.headers import words
from emaild.mime.view import facts
from emaild.settings.properties import MimeProperties


def subject(value: str | bytes) -> str:
    content = value if isinstance(value, bytes) else value.encode()
    return facts(b"Subject: " + content + b"\r\n\r\n").subject


def senders(value: str | bytes, name: str = "To") -> tuple[str, ...]:
    content = value if isinstance(value, bytes) else value.encode()
    found = facts(name.encode() + b": " + content + b"\r\n\r\n")
    return (found.sender,) if name == "From" else found.to


def base64_word(content: bytes, charset: str = "utf-8") -> str:
    return f"=?{charset}?B?{base64.b64encode(content).decode()}?="


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?UTF-8?Q?Gr=c3=bc=c3=9fe_an_alle?=", "Grüße an alle"),
        ("=?iso-8859-1?q?Gr=FC=DFe?=", "Grüße"),
        ("=?utf-8*de?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (base64_word("Grüße".encode()), "Grüße"),
        (base64_word("Grüße".encode()).replace("==", ""), "Grüße"),
        (base64_word("日本".encode("iso-2022-jp"), "ISO-2022-JP"), "日本"),
        (base64_word("简体".encode("gb18030"), "gb2312"), "简体"),
        ("Re: =?utf-8?q?a?= b =?utf-8?q?c?=", "Re: a b c"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a_?=\r\n =?utf-8?q?b?=", "a b"),
        ("=?utf-8?q?a?==?utf-8?q?b?=", "ab"),
        ("x=?utf-8?q?a?=y", "xay"),
        ('"=?utf-8?q?a?="', '"a"'),
        ("=?utf-8?q?a b?=", "a b"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü"),
        ("=?utf-8?q?=C3=BC?= =?iso-8859-1?q?=FC?=", "üü"),
        ("日本 =?utf-8?q?a?=", "日本 a"),
        ("C:\\u0041 =?utf-8?q?a?=", "C:\\u0041 a"),
        ("=?no-such-charset?q?a=C3=BC?=", "aü"),
        ("=?idna?q?a?=", "a"),
        ("=?hex?q?ab?=", "ab"),
        ("=?utf-7?q?+2AA-?=", "\N{REPLACEMENT CHARACTER}"),
        ("=?utf-8?q?=FF=FE?=", "ÿþ"),
        ("=?utf-8?b?A?=", "=?utf-8?b?A?="),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?utf-8?q?a", "=?utf-8?q?a"),
        ("=??q?a?=", "=??q?a?="),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_encoded_words_are_read_wherever_they_stand_and_what_is_none_stays(written: str, meant: str) -> None:
    """RFC 2047 §6.2: blanks between two encoded words are not part of the text."""
    assert subject(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Grüße".encode(), "Grüße"),
        ("Grüße".encode("latin-1"), "Grüße"),
        (b"\x80 euro", "€ euro"),
        (b"\x81\x8d", "\ufffd\ufffd"),
        ("日本 ".encode() + b"=?utf-8?q?a?=", "日本 a"),
    ],
)
def test_raw_8_bit_bytes_are_read_as_utf_8_or_else_as_windows_1252(written: bytes, meant: str) -> None:
    assert subject(written) == meant


def test_a_folded_field_is_one_line() -> None:
    assert subject("one\r\n two\r\n\tthree\n  four") == "one two three four"


def test_line_breaks_inside_encoded_words_do_not_survive() -> None:
    assert subject("=?utf-8?q?a=0D=0ABcc:_x?=") == "a  Bcc: x"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a@b.c", ["a@b.c"]),
        ("a@b.c, d@e.f", ["a@b.c", "d@e.f"]),
        ("Ann <a@b.c>", ["a@b.c"]),
        ('"Doe, John" <j@d.e>, x@y.z', ["j@d.e", "x@y.z"]),
        ("=?utf-8?Q?M=C3=BCller=2C_Hans?= <hans@example.com>", ["hans@example.com"]),
        ("Müller, Hans <hans@example.com>", ["Müller", "hans@example.com"]),
        ("a@b.c (a comment, with a comma)", ["a@b.c"]),
        ("(comment) a@b.c", ["a@b.c"]),
        ('"quoted \\" quote" <a@b.c>', ["a@b.c"]),
        ('"a@old.example" <a@new.example>', ["a@new.example"]),
        ('"a b"@example.com', ['"a b"@example.com']),
        ("<@one,@two:a@b.c>", ["a@b.c"]),
        ("team: a@b.c, d@e.f;, g@h.i", ["a@b.c", "d@e.f", "g@h.i"]),
        ("undisclosed-recipients:;", []),
        ("a@b.c; d@e.f", ["a@b.c", "d@e.f"]),
        ("a@[127.0.0.1], b@[IPv6:2001:db8::1]", ["a@[127.0.0.1]", "b@[IPv6:2001:db8::1]"]),
        ("a@b.c, broken <, d@e.f", ["a@b.c", "d@e.f"]),
        ("=?utf-8?q?a=40b=2Ec?=", ["a@b.c"]),
        ("<=?utf-8?q?a=40b=2Ec?=>", ["a@b.c"]),
        ("MAILER-DAEMON", ["MAILER-DAEMON"]),
        ("<MAILER-DAEMON>", ["MAILER-DAEMON"]),
        ("nobody in particular", []),
        ("jürgen@bücher.example", ["jürgen@bücher.example"]),
        ("<>", []),
        (",,;", []),
        ("", []),
    ],
)
def test_addresses_are_found_and_one_that_cannot_be_read_harms_no_other(written: str, meant: list[str]) -> None:
    assert list(senders(written)) == meant


def test_the_sender_is_the_first_address_of_from() -> None:
    assert senders('"Sales, Europe" <sales@example.com>, other@example.com', "From") == ("sales@example.com",)
    assert senders("nobody at all", "From") == ("",)


def test_addresses_of_repeated_fields_are_all_there() -> None:
    assert facts(b"To: a@b.c\r\nCc: x@y.z\r\nto: d@e.f\r\n\r\n").to == ("a@b.c", "d@e.f")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("<a@b>", ("<a@b>",)),
        ("<a@b> <c@d>\r\n <e@f>", ("<a@b>", "<c@d>", "<e@f>")),
        ("<a@b><c@d>, (x) <e f>", ("<a@b>", "<c@d>")),
        ("no brackets", ()),
        ("<" * 1000, ()),
    ],
)
def test_message_ids_keep_their_brackets(written: str, meant: tuple[str, ...]) -> None:
    assert facts(f"References: {written}\r\n\r\n".encode()).references == meant


def test_a_mail_without_an_id_has_none() -> None:
    assert facts(b"Message-ID: \r\n\r\n").message_id is None
    assert facts(b"Subject: x\r\n\r\n").in_reply_to is None
    assert facts(b"Message-ID: <a@b>\r\nIn-Reply-To: <c@d> <e@f>\r\n\r\n").in_reply_to == "<c@d>"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Mon, 02 Mar 2026 10:30:00 +0100", datetime(2026, 3, 2, 9, 30, tzinfo=UTC)),
        ("2 Mar 26 09:30 GMT", datetime(2026, 3, 2, 9, 30, tzinfo=UTC)),
        ("Mon, 02 Mar 2026 09:30:00 -0000", datetime(2026, 3, 2, 9, 30, tzinfo=UTC)),
        ("Mon, 02 Mar 2026 09:30:00 (nowhere)", datetime(2026, 3, 2, 9, 30, tzinfo=UTC)),
        ("yesterday", None),
        ("Mon, 32 Mar 2026 09:30:00 +0000", None),
        ("Fri, 31 Dec 9999 23:59:59 -2300", None),
        ("Mon, 02 Mar 99999999999999999999 09:30:00 +0000", None),
        ("", None),
    ],
)
def test_a_date_is_utc_or_missing(written: str, meant: datetime | None) -> None:
    assert facts(f"Date: {written}\r\n\r\n".encode()).date == meant


@pytest.mark.parametrize("hostile", ['"\\', '"', "(", "<", ",", "a@", "=?a?q?", "=?", "a", " ", "=?utf-8?q?a?= "])
def test_a_field_of_a_megabyte_takes_no_time(hostile: str) -> None:
    """The test's time limit is the assertion: what takes the square of its length takes hours."""
    written = hostile * (1_000_000 // len(hostile))
    assert len(senders(written, "From")) == 1
    assert isinstance(subject(written), str)
    assert isinstance(words(written, strict=True), str)
    raw = f"Content-Disposition: attachment; {written}\r\n\r\n".encode()
    assert len(facts(raw, MimeProperties(decodeparameters=False)).attachments) == 1


@pytest.mark.parametrize("hostile", ["--b\r\n", "--b\r\n\r\n", "--", "-", "\r", " \r\n", "--b ", "--bb\r\n"])
def test_a_long_body_takes_no_time(hostile: str) -> None:
    written = (hostile * (200_000 // len(hostile))).encode()
    for head in (b"", b"Content-Type: multipart/mixed\r\n\r\n", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"):
        assert isinstance(facts(head + written, MimeProperties(ignorewhitespacelines=True)).text, str)


def test_words_joins_what_was_split_inside_a_character() -> None:
    encoded = "日本語".encode()
    split = f"{base64_word(encoded[:4])} {base64_word(encoded[4:])}"
    assert words(split) == "日本語"
