"""Transcripts in standard responses: where they stand and what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.errors import InputError
from emaild.render.transcript import DEFAULT_PATTERN, Css, read, with_transcript
from tests.unit.render.transcript.chats import chat, items, joins, leaves, notes, says, seen
from tests.unit.render.transcript.responses import FOLDERS, TAG, as_html, as_text, made

ANN, BOB = joins("Ann", zone="60"), joins("Bob", "AGENT", user="b")


def test_the_plain_part_has_a_head_and_a_line_an_entry() -> None:
    found = made("Dear Ann\n" + TAG.format("HH:mm") + "\nBye", "", ANN, BOB, says("Hi", shift=3600), leaves(shift=3725))
    assert found.text == (
        "Dear Ann\n"
        "Chat transcript\n"
        "Started: 08:09\n"
        "Duration: 1:02:05\n"
        "Subject: Order 17\n"
        "\n"
        "[08:09] Ann joined the chat.\n"
        "[08:09] Bob joined the chat.\n"
        "[09:09] Ann: Hi\n"
        "[09:11] Ann left the chat.\n"
        "Bye"
    )
    assert (found.html, found.notices) == ("", ())


def test_both_parts_say_everything_that_happened() -> None:
    robo = joins("Robo", "AGENT", items(style="BOT"), user="r")
    events = (
        *(ANN, BOB, robo, joins("", "SUPERVISOR", user="s"), joins("", "AGENT", items(style="BOT"), user="u")),
        says("Hi", user="r"),
        notes("PUSH_URL", "https://example.com/?a=1&b=2", user="b"),
        notes("SYS_COMMAND", "file-uploaded", items(file_name="a&b.pdf", file_size="900", file_id="1")),
        notes("SYS_COMMAND", "file-uploaded", items(file_name="c.pdf", file_size="2048")),
        notes("SYS_COMMAND", "file-uploaded", items(file_size="2097152")),
        notes("SYS_COMMAND", "file-deleted", items(file_id="1")),
        notes("USER_UPDATE_NICK", "Bobby", user="b"),
        notes("IDLE_CONTROL_ALERT", "Are you there?"),
        *(leaves("1"), leaves("2"), leaves("3"), leaves("4", asker="b"), leaves("4"), leaves("99", user="r")),
    )
    words = [
        "Ann joined the chat.",
        "Bob joined the chat.",
        "Robo (bot) joined the chat.",
        "Supervisor joined the chat.",
        "Assistant joined the chat.",
        "Robo (bot): Hi",
        "Bob shared a page: https://example.com/?a=1&b=2",
        "Ann: File: a&b.pdf (900 bytes, deleted later)",
        "Ann: File: c.pdf (2 KB)",
        "Ann: File: (without a name) (2.0 MB)",
        "Bob is now called Bobby.",
        "Are you there?",
        "Ann left the chat.",
        "Ann left and closed the chat.",
        "Ann left the chat: the connection was lost.",
        "Ann was taken out of the chat by Bobby.",
        "Ann was taken out of the chat.",
        "Robo (bot) left the chat.",
    ]
    assert [line.partition("] ")[2] for line in as_text(*events)] == words
    page = as_html(*events).replace("<bdi>", "").replace("</bdi>", "").replace("&amp;", "&")
    for line in words:
        assert line.rpartition(": ")[2] in page


def test_times_are_the_end_users_in_the_asked_language() -> None:
    tag = TAG.format("EEEE d MMMM yyyy, HH:mm Z")
    found = made(tag, tag, joins("Ann", zone="780"), says("Hi", shift=60_000), locale="de_DE")
    assert "[Mittwoch 6 März 2024, 12:49 +1300] Ann: Hi" in found.text
    assert '<span class="time">Mittwoch 6 März 2024, 12:49 +1300</span>' in found.html


def test_the_guides_pattern_is_understood_with_its_line_break() -> None:
    assert (
        "[2024/03/05, 07:09:33 AM] Ann: Hi"
        in made(TAG.format("yyy/MM/dd, hh:mm:ss  \naaa"), "", joins(), says("Hi")).text
    )


@pytest.mark.parametrize("pattern", ["yyyy bad", "'yyyy", "y" * 201])
def test_a_wrong_pattern_gives_the_default_one_and_one_notice(pattern: str) -> None:
    tag = TAG.format(pattern)
    found = made(f"{tag} {tag}", tag, joins(), says("Hi"))
    assert found.text.count("[2024-03-05T07:09:33] Ann: Hi") == 2
    assert '<span class="time">2024-03-05T07:09:33</span>' in found.html
    assert [(notice.pattern, bool(notice.reason)) for notice in found.notices] == [(pattern[:200], True)]


def test_the_default_pattern_is_the_guides() -> None:
    assert DEFAULT_PATTERN == "yyyy-MM-dd'T'HH:mm:ss"
    assert as_text(joins(), says("Hi"))[-1] == "[2024-03-05T07:09:33] Ann: Hi"


@pytest.mark.parametrize(
    ("html", "before", "after"),
    [
        ("<p>Dear Ann</p>", "<p>Dear Ann</p>", ""),
        ("<html><body>Hi</body></html>", "<html><body>Hi", "</body></html>"),
        ("<p>a [ChatTranscript] b</p>", "<p>a ", " b</p>"),
        ("<body>a</BODY >b</body>c", "<body>a</BODY >b", "</body>c"),
    ],
)
def test_html_has_the_transcript_at_its_tag_else_at_its_end(html: str, before: str, after: str) -> None:
    found = made("", html, ANN).html
    assert found.startswith(before + '<div class="transcript cx-theme">')
    assert found.endswith("</div>" + after)


def test_text_without_a_tag_has_the_transcript_at_its_end() -> None:
    assert made("Dear Ann\n", "", ANN).text.startswith("Dear Ann\n\nChat transcript\n")
    assert made("", "", ANN).text.startswith("Chat transcript\n")


def test_a_tag_in_one_part_leaves_the_other_its_transcript_at_the_end() -> None:
    found = made("a [ChatTranscript] b", "<p>c</p>", ANN, says("Hello"))
    assert found.text.startswith("a Chat")
    assert found.text.endswith(" b")
    assert "Hello" in found.text
    assert "Hello" in found.html


def test_a_part_that_is_not_there_is_not_made() -> None:
    assert made("", "<p>c</p>", ANN).text == ""
    assert made("c", "", ANN).html == ""


def test_messages_stand_with_their_sides_in_the_guides_classes() -> None:
    page = made(
        "",
        "<style></style>[ChatTranscript]",
        ANN,
        BOB,
        says("Hi"),
        says("Ho", user="b"),
        says("Hu", user="x"),
        joins("Sys", "SYSTEM", user="y"),
        says("Hy", user="y"),
    ).html
    agent = '<div class="avatar-wrapper"><div class="avatar cx-img-map px48 avatar-agent"></div></div>'
    arrow = (
        '<div class="bubble-arrow"><svg height="7" width="7"><polygon class="left" points="0,0 7,0 7,7"></polygon>'
        '<polygon class="right" points="0,0 0,7 7,0"></polygon></svg></div>'
    )
    time = '<span class="time">2024-03-05T08:09:33</span></div></div>'
    bubble = '<div class="bubble"><span class="name" dir="auto"><bdi>Bob</bdi></span>'
    assert (
        f'<div class="message them">{agent}{arrow}{bubble}<div class="message-text" dir="auto">Ho</div>{time}' in page
    )
    assert page.count('<div class="message you">') == page.count("avatar-customer") == 1
    assert page.count('<div class="message them">') == page.count("avatar-agent") == 2
    assert page.count('<div class="message system">') == 4
    assert page.count('<div class="message injected">') == 1
    assert page.count("<div") == page.count("</div>")


def test_without_a_style_there_are_no_empty_pictures() -> None:
    assert "svg" not in as_html(ANN, says("Hi"))
    assert "avatar" not in as_html(ANN, says("Hi"))


def test_lines_of_a_message_stay_apart_in_html_where_the_style_is_dropped() -> None:
    assert ">a<br>b<br><br>c</div>" in as_html(ANN, says("a\nb\r\n\r\nc"))


def test_a_chat_that_does_not_say_when_it_began_has_no_times() -> None:
    transcript = read(chat(ANN, says("Hi"), started=""))
    found = with_transcript("x", "x", transcript, folders=FOLDERS)
    assert "\nAnn: Hi\n" in found.text
    assert "Started" not in found.text + found.html
    assert 'class="time"' not in found.html


def test_an_operators_words_and_templates_take_the_place_of_ours(tmp_path: Path) -> None:
    own = tmp_path / "transcript"
    own.mkdir()
    words = (FOLDERS[0] / "transcript/words.txt").read_text().replace(" joined the chat.", " ist da.")
    (own / "words.txt").write_text(words)
    transcript = seen(joins("<Ann>"))
    found = with_transcript("x", "x", transcript, folders=(tmp_path, *FOLDERS))
    assert "<Ann> ist da." in found.text
    assert "<bdi>&lt;Ann&gt;</bdi> ist da." in found.html
    (own / "transcript.html").write_text("{% autoescape false %}{{ lines[0].party.name }}{% endautoescape %}")
    assert with_transcript("", "x", transcript, folders=(tmp_path, *FOLDERS), css=Css.OWN).html == (
        "x<bdi>&lt;Ann&gt;</bdi>"
    )


def test_a_wrong_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"transcript/transcript\.txt"):
        with_transcript("x", "", seen(ANN), folders=(tmp_path,))


def test_a_very_long_message_and_very_many_take_no_more_than_their_length() -> None:
    """Either would take minutes if the time grew with the square of the length."""
    found = made("x", "x", ANN, says("<&\n" * 300_000), *[says("Hi")] * 3_000, css=Css.INLINE)
    assert len(found.html) > 5_000_000
