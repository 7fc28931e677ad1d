"""The header of a mail out: nothing gets into it that does not belong there, and nothing that does is lost."""

from __future__ import annotations

import re

import pytest

from emaild.errors import InputError
from emaild.jobs.threads import ID_IN_MESSAGE_ID
from emaild.mime.view import facts
from emaild.render.compose import Draft, compose
from tests.composing import NOW, composed, on_the_wire, parsed


@pytest.mark.parametrize(
    "subject",
    [
        "Hello",
        "",
        "Grüße aus 日本",
        "x" * 500,
        "word " * 100,
        "=?utf-8?q?looks_encoded?=",
        "tab\there",
        "https://example.com/" + "x" * 200,
        "\N{PILE OF POO}" * 60,
    ],
    ids=lambda subject: ascii(subject[:20]),
)
def test_a_subject_arrives_as_it_was(subject: str) -> None:
    mail = composed(subject=subject)
    on_the_wire(mail)
    meant = "looks encoded" if "looks" in subject else subject.strip()
    assert facts(mail.raw).subject == meant


def test_names_and_addresses_stand_where_they_belong() -> None:
    mail = composed(
        sender='"Müller, Ann" <ann@example.com>',
        to=("Bob <bob@example.com>, carl@example.com", '"Doe, John" <john@example.com>'),
        cc=("team: dora@example.com;",),
        bcc=("eve@example.com",),
    )
    on_the_wire(mail)
    assert mail.sender == "ann@example.com"
    people = ("bob@example.com", "carl@example.com", "john@example.com", "dora@example.com", "eve@example.com")
    assert mail.recipients == people
    found = facts(mail.raw)
    assert (found.sender, found.to, found.cc) == ("ann@example.com", people[:3], people[3:4])
    assert parsed(mail)["From"].addresses[0].display_name == "Müller, Ann"


def test_nobody_learns_of_bcc() -> None:
    mail = composed(to=(), bcc=("secret@example.com",))
    assert mail.recipients == ("secret@example.com",)
    assert b"secret" not in mail.raw
    assert parsed(mail)["Bcc"] is None


def test_everybody_gets_it_once() -> None:
    mail = composed(to=("Bob@example.com", "bob@Example.com"), cc=("BOB@EXAMPLE.COM",), bcc=("other@example.com",))
    assert mail.recipients == ("Bob@example.com", "other@example.com")


def test_a_domain_in_unicode_travels_in_ascii() -> None:
    """RFC 5890 §2.3.2.1; an encoded word inside an address is against RFC 2047 §5."""
    mail = composed(
        sender="Ann <ann@bücher.example>",
        to=("bob@müller.example",),
        headers=(("Reply-To", "Jürgen <j@bücher.example>"),),
    )
    on_the_wire(mail)
    assert (mail.sender, mail.recipients) == ("ann@xn--bcher-kva.example", ("bob@xn--mller-kva.example",))
    assert b"From: Ann <ann@xn--bcher-kva.example>\r\n" in mail.raw
    assert b"To: bob@xn--mller-kva.example\r\n" in mail.raw
    assert b"<j@xn--bcher-kva.example>\r\n" in mail.raw
    assert mail.message_id.endswith("@xn--bcher-kva.example>")


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "a b@example.com",
        "a@b@c",
        "@example.com",
        "a@",
        "a@b..c",
        "<a@b.c",
        "a@b.c; d@e.f",
        "Müller, Ann <ann@example.com>",
        "jürgen@example.com",
        "a@b.c\r\nBcc: x@y.z",
        "a@b.c\nBcc: x@y.z",
        "Ann\r\n <a@b.c>",
        "a@b.c\0",
        "a\ud800 <a@b.c>",
        "a@" + "ü" * 64 + ".de",
        "x" * 2000 + "@example.com",
    ],
    ids=ascii,
)
def test_what_is_no_address_is_refused_and_never_left_out(address: str) -> None:
    for said in ({"to": ("bob@example.com", address)}, {"bcc": (address,)}, {"sender": address}):
        with pytest.raises(InputError, match="is no e-mail address; expected name@domain"):
            composed(**said)


@pytest.mark.parametrize("sender", ["a@b.c, d@e.f", "", "nobodies:;"])
def test_a_mail_has_one_sender(sender: str) -> None:
    with pytest.raises(InputError):
        composed(sender=sender)


@pytest.mark.parametrize("to", [(), ("",), ("undisclosed-recipients:;",)])
def test_a_mail_has_a_recipient(to: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="a mail needs a recipient"):
        composed(to=to)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Note", "a\r\nBcc: x@y.z"),
        ("X-Note", "a\nb"),
        ("X-Note", "a\rb"),
        ("X-Note\r\nBcc", "x@y.z"),
        ("X Note", "a"),
        ("X-Nöte", "a"),
        ("X:", "a"),
        ("", "a"),
        ("x" * 1000, "a"),
        ("X-Note", "a\udc80"),
        ("From", "x@y.z"),
        ("BCC", "x@y.z"),
        ("message-id", "<x@y>"),
        ("Content-Type", "text/evil"),
        ("content-transfer-encoding", "8bit"),
        ("Reply-To", "nobody"),
        ("Sender", "a@b.c, d@e.f, <"),
    ],
    ids=ascii,
)
def test_a_header_field_that_would_be_another_is_refused(name: str, value: str) -> None:
    with pytest.raises(InputError):
        composed(headers=((name, value),))


@pytest.mark.parametrize(
    "subject", ["a\r\nBcc: x@y.z", "a\nb", "a\rb", "a\0b", "a\x85b", "a\x85", "\u2028", "a\udc80"], ids=ascii
)
def test_a_subject_that_would_be_another_field_is_refused(subject: str) -> None:
    with pytest.raises(InputError, match="Subject"):
        composed(subject=subject)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("In-Reply-To", "<" + "x" * 100 + "@example.com>"),
        ("References", " ".join(f"<{str(number) * 60}@example.com>" for number in range(9))),
        ("List-Unsubscribe", "<https://example.com/?" + "x" * 300 + ">, <mailto:a@b.c>"),
        ("X-Empty", ""),
        ("X-Blanks", "a   b"),
        ("X-Long", "word " * 100 + "end"),
    ],
    ids=lambda value: value[:16],
)
def test_a_field_for_programs_is_folded_and_never_encoded(name: str, value: str) -> None:
    mail = composed(headers=((name, value),))
    on_the_wire(mail)
    head = mail.raw.partition(b"\r\n\r\n")[0].decode()
    field = re.search(rf"^{name}:([^\r]*(?:\r\n[ \t][^\r]*)*)", head, re.MULTILINE)
    assert field
    assert field[1].replace("\r\n", "").strip() == value
    assert not [line for line in field[0].split("\r\n")[1:] if not line.strip()], "a line of blanks ends a header"


@pytest.mark.parametrize("value", ["Grüße", "x" * 998, "x" * 1500])
def test_a_field_that_no_line_can_hold_is_encoded(value: str) -> None:
    mail = composed(headers=(("X-Note", value),))
    on_the_wire(mail)
    assert str(parsed(mail)["X-Note"]) == value


def test_a_mail_has_one_date_and_an_id_that_nobody_else_makes() -> None:
    first, second = composed(domain="ids.example"), composed()
    assert parsed(first)["Date"].datetime == NOW
    assert parsed(first)["Message-ID"] == first.message_id
    assert re.fullmatch(r"<[0-9a-f]{32}@ids\.example>", first.message_id)
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.com>", second.message_id)
    assert first.message_id != second.message_id


def test_the_longest_domain_does_not_break_the_message_id() -> None:
    domain = ".".join(["x" * 60] * 4)
    mail = composed(domain=domain)
    on_the_wire(mail)
    assert facts(mail.raw).message_id == mail.message_id


def test_the_id_of_an_interaction_stands_in_the_message_id_of_its_mail() -> None:
    draft = Draft(sender="ann@example.com", to=("bob@example.com",))
    mail = compose(draft, now=NOW, domain="", name="0123456789ABCDEF")
    assert re.fullmatch(r"<0123456789ABCDEF\.[0-9a-f]{32}@example\.com>", mail.message_id)
    assert parsed(mail)["Message-ID"] == mail.message_id
    (found,) = ID_IN_MESSAGE_ID.findall(mail.message_id)
    assert found == "0123456789ABCDEF"


@pytest.mark.parametrize(
    "name", ["x", "0123456789ABCDEF0", "0123456789abcdef", "0123456789ABCD>\n", "\r\nBcc: x@y.z abc"]
)
def test_what_is_no_id_does_not_get_into_the_message_id(name: str) -> None:
    with pytest.raises(InputError, match="is no id"):
        compose(Draft(sender="a@b.c", to=("d@e.f",)), now=NOW, domain="", name=name)


def test_a_name_of_quotes_is_no_line_that_servers_refuse() -> None:
    name = "x" + '"' * 890 + "x"
    mail = composed(sender='"' + name.replace('"', r"\"") + '" <ann@example.com>')
    on_the_wire(mail)
    assert facts(mail.raw).sender_personal == name
