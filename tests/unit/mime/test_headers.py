"""Header fields as people and programs write them, rightly and wrongly."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from emaild.mime.headers import everything, message_ids, parameter, people
from emaild.mime.limits import LISTED_FIELDS, LISTED_TOGETHER, LISTED_VALUE
from emaild.mime.parts import parsed
from emaild.mime.view import facts
from emaild.mime.words import words
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
        ("=?utf-8?q?=FC=DF?=", "üß"),
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
        ("Заказ не пришел".encode("koi8-r"), "Заказ не пришел"),
        ("注文した商品".encode("shift_jis"), "注文した商品"),
        (b"\x1b$BF|K\\\x1b(B", "日本"),
        ("日本 ".encode() + b"=?utf-8?q?a?=", "日本 a"),
    ],
)
def test_raw_8_bit_bytes_are_read_as_utf_8_or_else_as_what_they_look_like(written: bytes, meant: str) -> None:
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
        ("Müller, Hans <hans@example.com>", ["hans@example.com"]),
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


@pytest.mark.parametrize(
    "hostile", ['"\\', '"', "a a,", "(", "<", ",", "a@", "=?a?q?", "=?", "a", " ", "=?utf-8?q?a?= "]
)
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


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("=?utf-8?q?Really??=", "Really?"),
        ("=?utf-8?q?a?= =?utf-8?q?=", "a =?utf-8?q?="),
        ("=?utf-8?q?=3D=3Futf-8=3Fq=3FGr=C3=BC=C3=9Fe=3F=3D?=", "Grüße"),
        ("=?utf-8?q?=3D=3Futf-8=3Fq=3FGr=3DC3=3DBC=3F=3D?=", "Grü"),
        ("=?utf-8?b?R3LDvMOfZQ?=", "Grüße"),
        ("=?us-ascii?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?iso-8859-1?b?GyRCRnxLXBsoQg==?=", "日本"),
    ],
)
def test_encoded_words_that_break_the_rules_are_read(written: str, meant: str) -> None:
    assert words(written) == meant


@pytest.mark.parametrize(
    "hostile",
    [
        "=?a?q?abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq ",
        "=?a?q?x",
        "=?a?q?",
        "=?",
        "=?a?q?=?=",
        "=?=",
        "=?a?b?=",
        "=?a?q??",
        "=?utf-8?q?=C3?=",
    ],
)
def test_broken_encoded_words_of_megabytes_take_no_time(hostile: str) -> None:
    """The test's time limit is the assertion: what takes the square of its length, or worse, takes hours."""
    assert isinstance(words(hostile * (1_000_000 // len(hostile))), str)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Ann Miller <a@b.c>", [("Ann Miller", "a@b.c")]),
        ('"Miller, Ann" <a@b.c>', [("Miller, Ann", "a@b.c")]),
        ("Miller, Ann <a@b.c>", [("Miller, Ann", "a@b.c")]),
        ('"Ann \\"A\\" Miller" <a@b.c>', [('Ann "A" Miller', "a@b.c")]),
        ("=?utf-8?q?Ann_M=C3=BCller?= <a@b.c>", [("Ann Müller", "a@b.c")]),
        ('"=?utf-8?q?M=C3=BCller=2C_Ann?=" <a@b.c>', [("Müller, Ann", "a@b.c")]),
        ("=?utf-8?q?M=C3=BCller,_Ann?= <a@b.c>", [("Müller, Ann", "a@b.c")]),
        ("=?utf-8?b?QW5uIDxhQGIuYz4=?=", [("Ann", "a@b.c")]),
        ("a@b.c (Ann Miller)", [("Ann Miller", "a@b.c")]),
        ("(a (nested) comment, x@y.z) Ann <a@b.c>", [("Ann", "a@b.c")]),
        ("Ann\r\n Miller\r\n <a@b.c>", [("Ann Miller", "a@b.c")]),
        ("a@b.c", [("", "a@b.c")]),
        ('"Ann <a@b.c>, Bob <d@e.f>', [("Ann", "a@b.c"), ("Bob", "d@e.f")]),
        ("Ann <a@b.c> Bob <d@e.f>", [("Ann", "a@b.c"), ("Bob", "d@e.f")]),
        ("a@b.c d@e.f", [("", "a@b.c"), ("", "d@e.f")]),
        ("Ann <a@b.c", [("Ann", "a@b.c")]),
        ("Ann < a@b.c >", [("Ann", "a@b.c")]),
        ("Ann <a @ b.c>", [("Ann", "a@b.c")]),
        ("Ann <mailto:a@b.c>", [("Ann", "a@b.c")]),
        ("Team: Ann <a@b.c>, b@d.e;", [("Ann", "a@b.c"), ("", "b@d.e")]),
        ('"a b"@example.com', [("", '"a b"@example.com')]),
        ("Jürgen <j@bücher.example>", [("Jürgen", "j@bücher.example")]),
        ("MAILER-DAEMON (Mail Delivery System)", [("Mail Delivery System", "MAILER-DAEMON")]),
        ("undisclosed-recipients:;", []),
    ],
)
def test_people_have_names_and_addresses(written: str, meant: list[tuple[str, str]]) -> None:
    header = parsed(f"From: {written}\r\n\r\n".encode(), MimeProperties()).header
    assert list(people(header, "from", MimeProperties())) == meant


def test_what_stands_before_an_address_is_its_name_to_a_bound() -> None:
    header = parsed(b"To: " + b"a b," * 20_000 + b"Ann <a@b.c>\r\n\r\n", MimeProperties()).header
    ((name, address),) = people(header, "To", MimeProperties())
    assert (name[-5:], address) == ("b,Ann", "a@b.c")
    assert len(name) < 250


def test_all_fields_are_listed_as_they_stand() -> None:
    raw = b"X-One: a\r\n\tb\r\nSUBJECT: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nx-one: \xfcber\0\r\n\r\n"
    found = everything(parsed(raw, MimeProperties()).header, MimeProperties())
    assert found == (("X-One", "a b"), ("SUBJECT", "=?utf-8?q?Gr=C3=BC=C3=9Fe?="), ("x-one", "über"))


def test_the_list_of_all_fields_is_bounded() -> None:
    def listed(raw: bytes) -> tuple[tuple[str, str], ...]:
        return everything(parsed(raw, MimeProperties()).header, MimeProperties())

    assert len(listed(b"X: y\r\n" * 3000)) == LISTED_FIELDS
    assert [len(value) for _, value in listed(b"X: " + b"y" * 100_000 + b"\r\nZ: z\r\n")] == [LISTED_VALUE, 1]
    together = sum(len(name) + len(value) for name, value in listed((b"X: " + b"y" * 19_000 + b"\r\n") * 50))
    assert LISTED_TOGETHER - 20 <= together <= LISTED_TOGETHER


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("filename*1=b; filename*0=a", "ab"),
        ("filename*0=a; filename*2=c", "ac"),
        ("filename*0=a; filename*0=x; filename*1=b", "ab"),
        ("filename*0*=utf-8''%C3; filename*1*=%BC", "ü"),
        ('filename*0="50% o"; filename*1="f%20"', "50% of%20"),
        ("filename*0*=utf-8''%C3%BC; filename*1=%20", "ü%20"),
        ("filename=plain; filename*=utf-8''%C3%BC", "ü"),
        ("filename*0=x; filename*=utf-8''%C3%BC", "ü"),
        ("filename*=%41", "A"),
        ("filename*=utf-8'%41", "utf-8'A"),
        ('filename="C:\\dir\\a.txt"', "C:\\dir\\a.txt"),
        ('filename="a;b.txt"; x=y', "a;b.txt"),
        ('filename="never closed; x=y', "never closed"),
        ("filename = a.txt ;x", "a.txt"),
        ("FILENAME=a; filename=b", "a"),
        ("filename", ""),
    ],
)
def test_parameters_are_put_together_and_decoded(written: str, meant: str) -> None:
    """RFC 2231 §3 and §4."""
    header = parsed(f"Content-Disposition: attachment; {written}\r\n\r\n".encode(), MimeProperties()).header
    assert parameter(header, "Content-Disposition", "filename", MimeProperties()) == meant


def test_a_message_id_without_its_brackets_gets_them() -> None:
    header = parsed(b"Message-ID: a@b\r\nReferences: two words@x\r\n\r\n", MimeProperties()).header
    assert (message_ids(header, "Message-ID"), message_ids(header, "References")) == (("<a@b>",), ())


@pytest.mark.parametrize(
    "field",
    [
        "From: <", "From: <a@[b>", 'From: "a"@', 'To: "', "To: :;:", "To: a@", "To: a@[", "To: a <", "Message-ID: <",
        "Message-ID: <a@", "Message-ID: <[a]@b>", "Content-Type: multipart/mixed",
        "Content-Type: text/plain; charset=x",
        "Content-Type: text/plain; charset=undefined", "Content-Type: text/plain; charset*0*=''%", "Date: \0",
        "Date: Mon, 99 Foo 2026 99:99 +99999999999", "Content-Disposition: ;;; =", "Content-Transfer-Encoding: (",
        "Content-ID: <", "Reply-To: =?utf-8?b?====?=", "From: =?x?q?=00?= <@>",
    ],
)  # fmt: skip
def test_fields_on_which_the_library_fails_harm_no_other(field: str) -> None:
    """`email` with policy.default raises on the first fifteen: addresses, ids, types and charsets."""
    found = facts(f"{field}\r\nSubject: there\r\n\r\nbody".encode())
    assert (found.subject, found.text) == ("there", "body")
