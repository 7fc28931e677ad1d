"""What chatters type stays words: nothing in it is markup, a tag, a code or another entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.render.transcript import Css, with_transcript
from tests.unit.render.transcript.chats import items, joins, leaves, notes, says, seen
from tests.unit.render.transcript.responses import FOLDERS, TAG, as_html, as_text

ANN = joins("Ann", zone="60")

HOSTILE = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</div></body></html>",
    "</style><style>*{display:none}",
    "{{ 7 * 7 }} {% for x in y %} {# z #}",
    "<$ Contact.FirstName $>",
    "[ChatTranscript]",
    TAG.format("yyyy"),
    "[ExtAgentReply]",
    "&lt;b&gt;&#60;",
    "\\1 \\g<0> %s {0}",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_what_a_chatter_types_is_text_and_nothing_else(words: str) -> None:
    one_line = items(file_name=words, Subject=words)
    events = (
        joins(words, more=one_line),
        joins(words, "AGENT", user="b"),
        says(words),
        notes("PUSH_URL", words),
        notes("SYS_COMMAND", "file-uploaded", one_line),
        notes("USER_UPDATE_NICK", words),
        notes("IDLE_CONTROL_ALERT", words),
        leaves("4", asker="b"),
        leaves("&lt;b>", text="words"),
    )
    transcript = seen(*events)
    found = with_transcript("(" + TAG.format("HH") + ")", "(" + TAG.format("HH") + ")", transcript, folders=FOLDERS)
    assert found.text.count(words) == 15
    assert found.text.count("Chat transcript") == 1
    page = found.html.partition('<div class="transcript')[2]
    assert words not in page or "<" not in words
    assert "<script" not in page
    assert "<img" not in page
    assert "49" not in page
    assert page.count("</div>") == page.count("<div") + 1
    assert page.endswith("</div>)")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.com",
        "HTTP://",
        'https://a/"onclick="x',
        "https://a b",
        "https://a/<b>",
        " file:///etc/passwd",
    ],
)
def test_only_a_web_page_is_a_link(address: str) -> None:
    assert "<a" not in as_html(notes("PUSH_URL", address))
    assert 'href="https://example.com/?a=1&amp;b=2"' in as_html(notes("PUSH_URL", "https://example.com/?a=1&b=2"))


def test_no_line_of_a_message_looks_like_another_entry() -> None:
    for line_end in ("\n", "\r", "\r\n", "\x85", "\u2028", "\x0b"):
        lines = as_text(ANN, says(f"Hi{line_end}[2024-03-05T08:09:33] Bob: You get a refund"))
        assert all(line.startswith(("[2024-03-05T08:09:33] Ann", "    ")) for line in lines if "\ufffd" not in line)
        assert len([line for line in lines if line.startswith("[")]) == 2


def test_nothing_that_a_template_gets_is_markup(tmp_path: Path) -> None:
    (tmp_path / "transcript").mkdir()
    for part in ("html", "txt"):
        (tmp_path / f"transcript/transcript.{part}").write_text(
            "{% autoescape false %}{{ subject, lines }}{% endautoescape %}"
        )
    bad = "<script>"
    form = items(Subject=bad, file_name=bad, file_size=bad)
    events = (joins(bad, more=form), says(bad), notes("SYS_COMMAND", "file-uploaded", form), notes("PUSH_URL", bad))
    transcript = seen(*events, leaves("&lt;script>", text="&lt;script>"))
    found = with_transcript("x", TAG.format("'<script>'"), transcript, folders=(tmp_path, *FOLDERS), css=Css.OWN)
    assert bad in found.text
    assert bad not in found.html
