"""How a way out wants its mails written (JavaMail's mail.mime.*): the bytes, and what the library reads in them."""

from __future__ import annotations

import email
import re
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from typing import Any, cast

import pytest

from emaild.errors import InputError
from emaild.mime.view import facts
from emaild.render.compose import Composed, Draft, Enclosed, author_of, compose
from emaild.settings.properties import MimeProperties
from tests.composing import NOW, on_the_wire, parsed

LONG = " ".join(f"word{number}" for number in range(50))
UMLAUTS = "Grüße aus Köln " * 12 + "."
JAPANESE = "日本語の件名"
FILE = "Grüße aus Köln.pdf"
WORD = re.compile(rb"=\?[^?]+\?[bq]\?[^?]*\?=", re.IGNORECASE)


def written(draft: dict[str, Any], **writing: Any) -> Composed:
    """A mail of that draft, in that writing; each is one that every server takes."""
    mail = compose(
        Draft(**({"sender": "ann@example.com", "to": ("bob@example.com",)} | draft)),
        now=NOW,
        domain="",
        writing=MimeProperties(**writing),
    )
    on_the_wire(mail)
    return mail


def field(mail: Composed, name: str) -> list[bytes]:
    """The lines of the first field of that name, wherever in the mail."""
    found = re.search(rb"^" + name.encode() + rb":[^\r]*(?:\r\n[ \t][^\r]*)*", mail.raw, re.MULTILINE)
    assert found, name
    return found[0].split(b"\r\n")


def old(mail: Composed) -> Message:
    """As a reader sees it that knows no modern way."""
    return email.message_from_bytes(mail.raw)


def attached(draft_name: str, **writing: Any) -> tuple[EmailMessage, Composed]:
    """The part of a mail with such a file, as it is read back."""
    mail = written({"text": "x", "attachments": (Enclosed(name=draft_name, content=b"%PDF"),)}, **writing)
    (part,) = parsed(mail).iter_attachments()
    return part, mail


# Folding


def test_long_fields_are_folded_at_white_space() -> None:
    mail = written({"subject": LONG})
    assert len(field(mail, "Subject")) > 4
    assert max(map(len, field(mail, "Subject"))) <= 78
    assert parsed(mail)["Subject"] == LONG


def test_long_fields_stay_on_one_line_where_folding_is_not_wanted() -> None:
    people = tuple(f"Person {number} <p{number}@example.com>" for number in range(12))
    mail = written(
        {"subject": LONG, "to": people, "headers": (("References", "<a@b> " * 30 + "<c@d>"),)}, foldtext=False
    )
    for name, length in (("Subject", len(LONG)), ("To", 300), ("References", 180)):
        (line,) = field(mail, name)
        assert len(line) > length
    assert parsed(mail)["Subject"] == LONG
    assert mail.recipients == tuple(f"p{number}@example.com" for number in range(12))


def test_no_line_is_longer_than_any_server_takes_though_folding_is_not_wanted() -> None:
    """RFC 5322 §2.1.1: 998 octets, which `written` looks at."""
    mail = written({"subject": LONG * 5}, foldtext=False)
    assert len(field(mail, "Subject")) == 2
    assert parsed(mail)["Subject"] == LONG * 5


@pytest.mark.parametrize("name", ["Subject", "To"])
def test_a_line_holds_one_encoded_word_and_not_more_than_76_octets(name: str) -> None:
    """RFC 2047 §2: 75 for the word, 76 for its line."""
    mail = written({"subject": UMLAUTS, "to": (f'"{UMLAUTS}" <bob@example.com>',)})
    lines = field(mail, name)
    assert max(map(len, lines)) <= 76
    assert [len(WORD.findall(line)) for line in lines if WORD.search(line)] == [1] * len(lines)
    assert all(len(word) <= 75 for line in lines for word in WORD.findall(line))
    read = str(make_header(decode_header(str(old(mail)[name]))))
    assert read.removesuffix(" <bob@example.com>") == UMLAUTS


@pytest.mark.parametrize(("foldtext", "one_line"), [(False, True), (True, False)])
def test_encoded_words_share_a_line_where_they_need_none_of_their_own(foldtext: bool, one_line: bool) -> None:
    mail = written({"subject": "ü " * 60 + "."}, foldencodedwords=False, foldtext=foldtext)
    found = field(mail, "Subject")
    assert (len(found) == 1) is one_line
    assert all(len(word) <= 75 for line in found for word in WORD.findall(line))
    assert parsed(mail)["Subject"] == "ü " * 60 + "."


def test_short_encoded_words_of_several_people_share_a_line_only_where_asked() -> None:
    far = f"Zoë <{'z' * 55}@x.net>"
    assert max(map(len, field(written({"to": (far,)}), "To"))) <= 76
    people = {"to": ("Jürgen <j@x.net>", "Zoë <z@x.net>")}
    assert [len(WORD.findall(line)) for line in field(written(people), "To")] == [1, 1]
    assert [len(WORD.findall(line)) for line in field(written(people, foldencodedwords=False), "To")] == [2]


# Charsets


@pytest.mark.parametrize(
    ("charset", "text", "used"),
    [
        ("", "Grüße", "utf-8"),
        ("windows-1252", "Grüße für 5 €", "windows-1252"),
        ("windows-1252", JAPANESE, "utf-8"),
        ("iso-2022-jp", JAPANESE, "iso-2022-jp"),
        ("gb18030", "汉字和 ü", "gb18030"),
        ("utf-16", "Grüße", "utf-8"),
        ("utf-7", "Grüße ~", "utf-8"),
        ("UTF8", "Grüße", "utf-8"),
        ("windows-1252", "plain", "utf-8"),
    ],
)
def test_text_beyond_ascii_is_in_the_charset_that_is_asked_for(charset: str, text: str, used: str) -> None:
    file = Enclosed(name=f"{text}.pdf", content=b"")
    said = {"subject": text, "text": text, "html": f"<p>{text}</p>", "attachments": (file,)}
    mail = written(said, charset=charset)
    message = parsed(mail)
    bodies = [message.get_body((kind,)) for kind in ("plain", "html")]
    assert [body.get_content_charset() for body in bodies if body] == [used, used]
    assert [body.get_content().strip() for body in bodies if body] == [text, f"<p>{text}</p>"]
    raw_subject = b"".join(field(mail, "Subject"))
    assert (used.encode() + b"?" in raw_subject) is not text.isascii()
    assert str(make_header(decode_header(str(old(mail)["Subject"])))) == text
    (part,) = message.iter_attachments()
    assert part.get_filename() == f"{text}.pdf"
    assert (re.search(rf"filename\*(?:0\*)?={used}''".encode(), mail.raw) is None) is text.isascii()
    found = facts(mail.raw)
    assert (found.subject, found.text.strip(), found.attachments[0].name) == (text, text, f"{text}.pdf")


# File names


@pytest.mark.parametrize("name", [FILE, JAPANESE * 60 + ".pdf", 'a "b" \\c.pdf', "x" * 300 + ".pdf", "y" * 2000])
def test_file_names_are_parameters_of_rfc_2231(name: str) -> None:
    part, mail = attached(name)
    assert part.get_filename() == name
    assert part["Content-Type"].params["name"] == name
    assert not WORD.search(mail.raw)
    assert (b"filename*" in mail.raw) is (not name.isascii() or len(name) > 900)


@pytest.mark.parametrize("encodeparameters", [True, False])
def test_file_names_are_encoded_words_where_that_is_asked_for(encodeparameters: bool) -> None:
    for name in (FILE, JAPANESE * 40 + ".pdf"):
        part, mail = attached(name, encodefilename=True, encodeparameters=encodeparameters)
        assert b"filename*" not in mail.raw
        assert b"name*" not in mail.raw
        assert part.get_filename() == name
        (_, plain) = cast(list[Message], old(mail).get_payload())
        assert str(make_header(decode_header(str(plain.get_filename())))) == name
        assert all(len(word) <= 75 for word in WORD.findall(mail.raw))


def test_file_names_lose_what_neither_way_may_encode() -> None:
    part, mail = attached(FILE, encodeparameters=False)
    assert b'filename="Gr__e aus K_ln.pdf"' in mail.raw
    assert part.get_filename() == "Gr__e aus K_ln.pdf"


@pytest.mark.parametrize("wanted", [True, False])
def test_file_names_stand_in_the_content_type_if_wanted(wanted: bool) -> None:
    part, mail = attached("report.pdf", setcontenttypefilename=wanted)
    assert part.get_content_type() == "application/pdf"
    assert part.get_filename() == "report.pdf"
    assert part["Content-Type"].params == ({"name": "report.pdf"} if wanted else {})
    assert (b'Content-Type: application/pdf; name="report.pdf"' in mail.raw) is wanted
    assert part.get_content() == b"%PDF"


# Addresses


BROKEN = [
    ("nobody", "nobody"),
    ("a..b@example.com", "a..b@example.com"),
    (".a.@docomo.example", ".a.@docomo.example"),
    ("a@b@c", "a@b@c"),
    ("Jürgen <j..k@example.com>", "j..k@example.com"),
    ('"Doe, John" <john.@example.com>', "john.@example.com"),
]


@pytest.mark.parametrize(("given", "address"), BROKEN)
def test_broken_addresses_are_taken_as_they_are_only_where_that_is_asked_for(given: str, address: str) -> None:
    with pytest.raises(InputError, match="is no e-mail address; expected name@domain"):
        written({"to": (given,)})
    mail = written({"to": (given, "ok@example.com"), "sender": given}, address_strict=False)
    assert (mail.sender, mail.recipients) == (address, (address, "ok@example.com"))
    assert str(make_header(decode_header(str(old(mail)["From"])))) == given
    assert str(make_header(decode_header(str(old(mail)["To"])))) == f"{given}, ok@example.com"
    assert author_of(given) == address


@pytest.mark.parametrize(
    "text",
    [
        "a b@c..d",
        "a@b..c\r\nBcc: x@y.z",
        "a@b..c\0",
        "Ann\r\n <a@b..c>",
        "a@b..c, d@e.f",
        "<a@b..c",
        "a@b..c>",
        "jü..@x.net",
        "a\ud800@",
        '"a',
        "a;b",
    ],
)
def test_what_could_be_read_as_something_else_is_refused_in_any_case(text: str) -> None:
    with pytest.raises(InputError, match="is no e-mail address"):
        written({"to": (text,)}, address_strict=False)


def test_a_field_of_one_address_stands_once() -> None:
    with pytest.raises(InputError, match="Reply-To: a mail has one such field at most"):
        written({"headers": (("Reply-To", "a@b.c"), ("Reply-To", "d@e.f"))})
