"""The style of a transcript: the response's own, ours where it brings none, in the head and on the elements."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emaild.render.transcript import Css, with_transcript
from emaild.shipped import shipped
from tests.unit.render.transcript.chats import joins, says, seen

FOLDERS = (shipped("templates"),)
TAG = "<Genesys_Chat_Transcript><Timestamp>HH:mm</Timestamp></Genesys_Chat_Transcript>"
OWN = '<style type="text/css">.transcript .message .name { color: #123456 }</style>'
OURS = '<style type="text/css">\n/* '


def page(html: str, css: Css = Css.INLINE, *, dark: bool = False, folders: tuple[Path, ...] = FOLDERS) -> str:
    return with_transcript("", html, seen(joins("Ann"), says("Hi")), folders=folders, css=css, dark=dark).html


def test_the_responses_own_style_stays_and_ours_stays_away() -> None:
    for css in Css:
        found = page(f"<p>Hi</p>{OWN}{TAG}", css)
        assert found.startswith(f"<p>Hi</p>{OWN}<div")
        assert OURS not in found


def test_own_style_is_inlined_where_all_three_tags_are_there() -> None:
    assert 'style="color: #123456;"' in page(OWN + TAG)


@pytest.mark.parametrize(
    "tag", ["[ChatTranscript]", "", "<Genesys_Chat_Transcript></Genesys_Chat_Transcript>", TAG.replace("HH:mm", "")]
)
def test_own_style_is_not_inlined_where_one_of_the_three_tags_is_missing(tag: str) -> None:
    assert "style=" not in page(OWN + tag)


def test_a_response_without_a_style_gets_ours_in_its_head() -> None:
    found = page(f"<html><head><title>x</title></head><body>{TAG}</body></html>", Css.STYLE)
    assert found.startswith(f"<html><head>{OURS}")
    assert "style=" not in found


@pytest.mark.parametrize(
    ("html", "start"),
    [
        (f"<p>Hi {TAG}", ""),
        (f"<!DOCTYPE html><p>Hi {TAG}", "<!DOCTYPE html>"),
        (f"<!DOCTYPE html>\n<HTML lang='de'><body>Hi {TAG}", "<!DOCTYPE html>\n<HTML lang='de'>"),
        (f"<!DOCTYPE html>\n<HTML>\n<Head id=x>\n<body>Hi {TAG}", "<!DOCTYPE html>\n<HTML>\n<Head id=x>"),
        (f"<header>Hi {TAG}</header>", ""),
    ],
)
def test_our_style_stands_where_the_head_is_or_would_be(html: str, start: str) -> None:
    assert page(html, Css.STYLE).startswith(start + OURS)


def test_our_style_stands_in_the_first_head_also_where_that_is_after_the_transcript() -> None:
    late, two = (
        page(html, Css.STYLE)
        for html in (f"<!doctype html>Hi {TAG}<head><title>x", f"<html><head><i></i><head><html><b>{TAG}")
    )
    assert f"<head>{OURS}" in late
    assert two.startswith(f"<html><head>{OURS}")
    assert late.count(OURS) == two.count(OURS) == 1


def test_a_style_in_a_comment_is_none() -> None:
    assert OURS in page(f"<!--[if mso]>{OWN}<![endif]-->{TAG}", Css.STYLE)


def test_our_style_is_inlined_too() -> None:
    found = page(f"<p>Hi</p>{TAG}")
    assert OURS in found
    assert re.search(r'<div class="bubble" style="[^"]*background-color: #f2f4f7', found)
    assert found.count("<p>Hi</p>") == 1


def test_the_response_itself_is_not_rewritten() -> None:
    html = f"<P>Hi <b><i>there</b></i>&nbsp;&auml;<br>{OWN}{TAG}<P>Bye"
    found = page(html)
    assert found.startswith(html.partition(TAG)[0])
    assert found.endswith("<P>Bye")


def test_no_style_of_ours_is_made_where_the_responses_own_is_asked_for() -> None:
    assert "style" not in page(TAG, Css.OWN)


def test_the_dark_theme_has_the_guides_colours() -> None:
    light, dark = page(TAG), page(TAG, dark=True)
    for colour in ("#33383d", "#222529"):
        assert colour in dark
        assert colour not in light
    assert "#f2f4f7" not in dark


def test_the_default_stylesheet_selects_what_the_guides_does() -> None:
    sheet = page("x" + TAG, Css.STYLE)
    for selector in (
        *("#outlook a", ".transcript", ".transcript.cx-theme", ".transcript.cx-theme .message-text"),
        *(".transcript.cx-theme .bubble", ".transcript.cx-theme .bubble-arrow", ".transcript.cx-theme .name"),
        *(".transcript.cx-theme .message .time", ".transcript .notice a", ".transcript .message"),
        *(".transcript .message .message-text > p", ".transcript .message .avatar-wrapper"),
        *(".transcript .message.system .message-text", ".transcript .message.them .bubble-arrow .right"),
        *(".transcript .message.you .bubble-arrow .left", ".transcript .message.injected"),
        *(".px48 .cx-img-map.avatar-customer", ".cx-img-map.px48.avatar-agent"),
    ):
        assert re.search(rf"^(?:.*, )?{re.escape(selector)}(?:,.*)? \{{", sheet, re.MULTILINE), selector


def test_nothing_is_fetched_for_a_style() -> None:
    assert "url(" not in page(TAG)
    link = (
        '<link rel="stylesheet" href="http://127.0.0.1:9/a.css"><style>@import url(http://127.0.0.1:9/b.css);</style>'
    )
    assert page(link + TAG).startswith(link)


@pytest.mark.parametrize("css", ["a{", "}}}", "@media{", "p:::x{a:b}", "</p>", "\0", ".name{color:url('\"')}"])
def test_a_broken_style_is_no_trouble(css: str) -> None:
    assert "Ann joined" in page(f"<style>{css}</style>{TAG}").replace("<bdi>", "").replace("</bdi>", "")


def test_a_response_of_any_depth_gets_its_style() -> None:
    """An inliner that builds the tree of the whole page would end the process, or need hours."""
    assert page("<div>" * 1_000_000 + OWN + TAG).count('style="color: #123456;"') == 1


@pytest.mark.parametrize("hostile", ["<style ", "<style>", "<!--", "<head ", "<html ", "</body", "<!doctype "])
def test_very_many_broken_styles_take_no_more_than_their_length(hostile: str) -> None:
    assert "Hi" in page(TAG + hostile * (2_000_000 // len(hostile)), Css.STYLE)


def test_an_operators_stylesheet_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "transcript").mkdir()
    (tmp_path / "transcript/transcript.css").write_text(".name { color: {{ 'white' if dark else 'black' }} }")
    found = page(TAG, dark=True, folders=(tmp_path, *FOLDERS))
    assert '<span class="name" dir="auto" style="color: white;">' in found
    assert OURS not in found


def test_no_file_is_read_for_a_style(tmp_path: Path) -> None:
    (tmp_path / "transcript").mkdir()
    (tmp_path / "other.css").write_text("p { color: red }")
    link = f'<link rel="stylesheet" href="{tmp_path}/other.css"><p>Hi</p>'
    (tmp_path / "transcript/transcript.html").write_text(link)
    assert page(TAG, folders=(tmp_path, *FOLDERS)).endswith("<p>Hi</p>")
