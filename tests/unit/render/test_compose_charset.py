"""The charset that the service wants its mails in: used where it can be, named as others name it, never a loss."""

from __future__ import annotations

import re

import pytest

from emaild.mime.view import facts
from emaild.render.compose import Composed, Draft, Enclosed, compose
from emaild.settings.properties import MimeProperties
from tests.composing import NOW, on_the_wire, parsed


def written(charset: str, text: str, writing: MimeProperties = MimeProperties()) -> Composed:
    """A mail with that text in all its places, which is one that every server takes and says that text."""
    draft = Draft(
        sender=f'"{text}" <ann@example.com>',
        to=("bob@example.com",),
        subject=text,
        text=text,
        html=f"<p>{text}</p>",
        headers=(("X-Note", text),),
        attachments=(Enclosed(name=f"{text}.pdf", content=b"x"),),
    )
    mail = compose(draft, now=NOW, domain="", writing=writing, charset=charset)
    on_the_wire(mail)
    found = facts(mail.raw)
    said = (found.subject, found.sender_personal, found.text.strip(), found.html.strip(), found.attachments[0].name)
    assert said == (text, text, text, f"<p>{text}</p>", f"{text}.pdf")
    return mail


def charsets(mail: Composed) -> set[str]:
    """All that are named anywhere in the mail."""
    named = re.findall(rb"=\?([^?\s]+)\?[bqBQ]\?|charset=\"?([\w.-]+)|name\*(?:0\*)?=([\w.-]+)'", mail.raw)
    return {(one or two or three).decode().lower() for one, two, three in named}


@pytest.mark.parametrize(
    ("charset", "text", "used"),
    [
        ("", "Grüße", "utf-8"),
        ("UTF-8", "Grüße", "utf-8"),
        ("utf8", "Grüße", "utf-8"),
        ("Cp1252", "Grüße für 5 €", "windows-1252"),
        ("latin1", "Grüße", "iso-8859-1"),
        ("ISO8859_15", "Grüße für 5 €", "iso-8859-15"),
        ("MacRoman", "Grüße", "macintosh"),
        ("koi8-r", "Привет", "koi8-r"),
        ("ISO2022JP", "日本語の件名", "iso-2022-jp"),
        ("EUC_JP", "日本語の件名", "euc-jp"),
        ("shift_jis", "ｱｲｳと日本語", "shift_jis"),
        ("big5", "漢字", "big5"),
        ("EUC_KR", "한국어", "euc-kr"),
        ("gb18030", "汉字和 ü", "gb18030"),
    ],
)
def test_what_is_beyond_ascii_is_in_the_charset_that_the_service_wants(charset: str, text: str, used: str) -> None:
    assert charsets(written(charset, text)) == {used}


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("windows-1252", "日本語"),
        ("us-ascii", "Grüße"),
        ("utf-16", "Grüße"),
        ("utf-7", "Grüße ~"),
        ("idna", "Grüße"),
        ("punycode", "Grüße"),
        ("raw_unicode_escape", "Grüße aus 日本"),
        ("unicode_escape", "Grüße"),
        ("iso-2022-jp", "ｱｲｳ"),
        ("hex", "Grüße"),
        ("no charset", "Grüße"),
        ("a\0b", "Grüße"),
    ],
    ids=ascii,
)
def test_what_does_not_fit_into_it_is_in_utf_8(charset: str, text: str) -> None:
    assert charsets(written(charset, text)) == {"utf-8"}


def test_each_part_is_in_what_it_fits_into() -> None:
    draft = Draft(sender="a@b.c", to=("d@e.f",), subject="Grüße", text="日本", html="<p>Grüße</p>")
    mail = compose(draft, now=NOW, domain="", charset="windows-1252")
    assert b"Subject: =?windows-1252?q?" in mail.raw
    bodies = [parsed(mail).get_body((kind,)) for kind in ("plain", "html")]
    assert [body.get_content_charset() for body in bodies if body] == ["utf-8", "windows-1252"]


def test_the_way_out_says_it_before_the_service() -> None:
    assert charsets(written("windows-1252", "Grüße", MimeProperties(charset="iso-8859-15"))) == {"iso-8859-15"}


@pytest.mark.parametrize(
    ("page", "becomes"),
    [
        ('<meta charset="utf-8">ü', '<meta charset="windows-1252">ü'),
        ("<META charset = utf-8 />ü", "<META charset = windows-1252 />ü"),
        ("<meta charset=Windows-1252>ü", "<meta charset=Windows-1252>ü"),
        ("<meta charset=''>ü", "<meta charset='windows-1252'>ü"),
        (
            '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1">ü',
            '<meta http-equiv="Content-Type" content="text/html; charset=windows-1252">ü',
        ),
        (
            "<meta content='text/html;charset=utf-16' HTTP-EQUIV=content-type>ü",
            "<meta content='text/html;charset=windows-1252' HTTP-EQUIV=content-type>ü",
        ),
        (
            '<meta charset="utf-16">日本<meta charset="utf-16">',
            '<meta charset="utf-8">日本<meta charset="utf-8">',
        ),
        ('<meta charset="utf-16">plain', '<meta charset="utf-8">plain'),
        ('<meta name="about" content="charset=utf-8">ü', '<meta name="about" content="charset=utf-8">ü'),
        ("<p>charset=utf-8 ü", "<p>charset=utf-8 ü"),
        ("<metal charset=utf-8>ü", "<metal charset=utf-8>ü"),
        ("<meta charset=utf-8 ü", "<meta charset=utf-8 ü"),
    ],
)
def test_a_page_declares_the_charset_that_it_is_sent_in(page: str, becomes: str) -> None:
    mail = compose(Draft(sender="a@b.c", to=("d@e.f",), html=page), now=NOW, domain="", charset="windows-1252")
    on_the_wire(mail)
    body = parsed(mail).get_body(("html",))
    assert body
    assert body.get_content().strip() == becomes


@pytest.mark.parametrize(
    "unit", ["<meta ", "<meta charset=", "<meta charset='", "<meta " + "charset=" * 100, "<meta http-equiv= ", "a", " "]
)
def test_pages_of_broken_tags_take_no_longer_than_others(unit: str) -> None:
    """Megabytes, which would take minutes if each tag were looked for to the end of the page."""
    page = "<meta " + unit * (5_000_000 // len(unit)) + ">"
    draft = Draft(sender="a@b.c", to=("d@e.f",), html=page)
    assert len(compose(draft, now=NOW, domain="", charset="windows-1252").raw) > 5_000_000
