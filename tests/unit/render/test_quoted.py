"""The mail that is answered, quoted as the options have it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from emaild.message import Facts
from emaild.render.quoted import MOST, Quoted, quoted
from emaild.settings.processing import ProcessingSection
from emaild.shipped import shipped

FOLDERS = (shipped("templates"),)
SAID = Facts(
    subject="Order\r\n 17 <b>",
    sender="ann@home.example",
    sender_personal="Ann <Other>",
    to=("desk@shop.example", "b@shop.example"),
    cc=("c@shop.example",),
    date=datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=1))),
    text="Hi,\r\n\r\n> old\n  <b>\n",
)


def made(said: Facts = SAID, locale: str = "en_US", **options: Any) -> Quoted:
    return quoted(said, processing=ProcessingSection(**options), locale=locale, folders=FOLDERS)


def test_text_has_the_separator_the_fields_and_a_prefix_before_each_line() -> None:
    assert made().text.replace("\u202f", " ") == (
        "-----Original Message-----\n"
        "From: Ann <Other> <ann@home.example>\n"
        "Sent: March 2, 2026, 9:30:00 AM +0100\n"
        "To: desk@shop.example, b@shop.example\n"
        "Cc: c@shop.example\n"
        "Subject: Order 17 <b>\n"
        "\n"
        "> Hi,\n"
        ">\n"
        "> > old\n"
        ">   <b>\n"
    )


def test_every_option_is_used_in_both_parts() -> None:
    options: dict[str, Any] = {
        "quote_separator": "***<",
        **{f"quote_{name}": f"{name}>" for name in ("from", "sent", "to", "cc", "subject")},
    }
    found = made(locale="de_DE", quote_prefix="| ", **options)
    lines = found.text.splitlines()
    assert lines[0] == "***<"
    assert [line.partition(" ")[0] for line in lines[1:6]] == ["from>", "sent>", "to>", "cc>", "subject>"]
    assert lines[2] == "sent> 2. März 2026, 09:30:00 +0100"
    assert lines[7:9] == ["| Hi,", "|"]
    for words in ("***&lt;", "<b>from&gt;</b> Ann &lt;Other&gt;", "<b>sent&gt;</b> 2. März", "<b>cc&gt;</b> c@"):
        assert words in found.html


def test_html_is_a_blockquote_made_safe() -> None:
    page = '<html><body><p onclick="x">Hi <i>you</i></p></blockquote></div><script>1</script></body></html>'
    found = made(replace(SAID, html=page))
    assert "<p>Hi <i>you</i></p>\n</blockquote>\n" in found.html
    assert found.html.count("</blockquote>") == found.html.count("<blockquote") == 1
    assert "Order 17 &lt;b&gt;<br>" in found.html


def test_a_mail_without_html_has_its_text_there() -> None:
    assert "Hi,<br>\n<br>\n&gt; old<br>\n  &lt;b&gt;\n</blockquote>" in made().html


def test_fields_that_a_mail_does_not_have_are_left_out() -> None:
    assert made(Facts(text="x")).text == "-----Original Message-----\n\n> x\n"


def test_a_locale_that_is_none_is_no_fault() -> None:
    assert "March" in made(locale="xx_QQ").text


LONG_PAGES = {
    "none": "",
    "many tags": "<p>x</p>" * 150_000,
    "cut in a tag": "<p>" + "x" * (MOST - 5) + "<a title='y'>z",
    "no tags": "<b" * 800_000,
}


@pytest.mark.parametrize("page", LONG_PAGES.values(), ids=LONG_PAGES)
def test_of_a_long_mail_the_rest_is_left_out_with_a_mark(page: str) -> None:
    found = made(Facts(text="x\n" * 1_000_000, html=page))
    assert found.text.endswith("> x\n>\n> [...]\n") or found.text.endswith("> x\n> [...]\n")
    assert len(found.text) < 3 * MOST
    assert "[...]" in found.html
    assert "&lt;a" not in found.html
    assert len(found.html) < 10 * MOST


def test_an_operators_template_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "quoted").mkdir()
    (tmp_path / "quoted/quoted.txt").write_text("{{ fields[0][1] }} {{ lines|length }}")
    (tmp_path / "quoted/quoted.html").write_text("{{ fields[0][1] }}")
    found = quoted(SAID, processing=ProcessingSection(), locale="en_US", folders=(tmp_path, *FOLDERS))
    assert (found.text, found.html) == (
        "Ann <Other> <ann@home.example> 4",
        "Ann &lt;Other&gt; &lt;ann@home.example&gt;",
    )
