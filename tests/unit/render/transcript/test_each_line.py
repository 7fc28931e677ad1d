"""`each_line` in a template of a transcript: what a loop over the lines says, whatever the macro does with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.render.transcript import Css, read, with_transcript
from emaild.render.transcript.lines import Line
from tests.unit.render.transcript.chats import chat, items, joins, leaves, notes, says
from tests.unit.render.transcript.responses import FOLDERS, TAG

STYLE = "<style>.row, b { color: red } * > i { margin: 0 }</style>"
EVENTS = (
    joins("Ann & <b>", zone="60"),
    joins("Bob", "AGENT", user="b"),
    says("a"),  # short, and no number: what a filter makes of it is not what it makes of what they say later
    says("b", user="b"),
    says("c", user="x"),
    *(
        says(f"say \"{word}\" & 'so' <i>\u00a0\nnext {{0}} %s", user="cbx"[n % 3], shift=n)
        for n, word in enumerate("abcd")
    ),
    says('"><script>alert(1)</script>', shift=70),
    notes("PUSH_URL", "https://example.com/?a=1&b=2", user="b", shift=71),
    notes("USER_UPDATE_NICK", "Bobby", user="b", shift=71),
    says("d", user="b", shift=72),
    says("refund", user="b", shift=3600),
    says("42", shift=3600),
    says("7.5e3", user="b", shift=3600),
    notes("SYS_COMMAND", "file-uploaded", items(file_name="a.pdf"), shift=3601),
    says("refund", shift=3602),
    leaves("2", shift=3602),
)
ROWS = [
    '<p class="row">{{ line.party.name }} {{ line.time }}: {{ line.text }}</p>',
    "{{ line.text }}{{ line.text }}{{ line.time }}{{ line.text }}",
    '<p class="row" title="{{ line.text }}">{{ line.time }}</p>',
    "<p title={{ line.text }}>{{ line.time }}</p>",
    "<textarea>{{ line.text }}</textarea>",
    "<script>{{ line.text }}</script>",
    "<style>{{ line.text }}</style>",
    "<svg><text>{{ line.text }}</text></svg>",
    "<table>{{ line.text }}<tr><td>{{ line.time }}</table>",
    "<!-- {{ line.text }} -->",
    "{{ line.text|upper }}",
    "{{ line.text|length }}",
    "{{ line.text[:3] }}",
    "{{ line.text ~ '!' }}",
    "{{ '%s' % line.text }}",
    "{{ line }}",
    "{{ line.text|e }}{{ line.text|string|replace('a', 'b') }}",
    "{% if 'refund' in line.text %}money{% endif %}",
    "{% if line.text == 'refund' %}money{% endif %}",
    "{% if line.time %}{{ line.time or '' }}{% endif %}{{ line.text or 'nothing' }}",
    "{% filter upper %}{{ line.text }}{% endfilter %}",
    "{% set said %}{{ line.text }}{% endset %}{{ said|lower }}",
    "{% autoescape false %}{{ line.text }}{% endautoescape %}",
    "{% for one in line.text %}{{ one }}.{% endfor %}",
    "{{ {line.text: 1} }}",
    "{{ line.text|int }}{{ line.time|int('?') }}",
    "{% if line.text|int > 40 %}much{% endif %}",
    "{{ line.text|float }}",
    "{{ line.text[1]|default('-') }}",
    "{{ line.text.x|default('-') }}{{ line.text['x']|default('-') }}",
    "{{ line.text|attr('x')|default('-') }}",
    "{{ line.text|first|default('-') }}{{ line.text|last|default('-') }}",
    "{{ line.text is defined }}{{ line.text is string }}{{ line.text is number }}{{ line.text is iterable }}",
    "{{ line.text is mapping }}{{ line.text is sequence }}{{ line.text is escaped }}{{ line.text is callable }}",
    "{{ line.text|list|length }}{{ line.text|wordcount }}{{ line.text|tojson }}{{ line.text|pprint }}",
    "{{ line.text is sameas line.text }}{{ line.text is none }}",
    "{{ [line.text]|join('-') }}{{ line.text|default('-', true) }}{{ (line.text, 1)|first }}",
    "",
]


def page(tmp_path: Path, said: str, row: str, css: Css) -> str:
    (tmp_path / "transcript").mkdir(exist_ok=True)
    for ending in ("html", "txt"):
        template = f"{{% macro row(line) %}}{row}{{% endmacro %}}<div>{said}</div>"
        (tmp_path / f"transcript/transcript.{ending}").write_text(template)
    tag = TAG.format("HH:mm:ss '&'")
    transcript = read(chat(*EVENTS))
    found = with_transcript(tag, STYLE + tag, transcript, folders=(tmp_path, *FOLDERS), css=css)
    return found.text + "\n====\n" + found.html


@pytest.mark.parametrize("css", [Css.INLINE, Css.OWN])
@pytest.mark.parametrize("row", ROWS)
def test_each_line_says_what_a_loop_says(row: str, css: Css, tmp_path: Path) -> None:
    loop = page(tmp_path, "{% for line in lines %}{{ row(line) }}{% endfor %}", row, css)
    assert page(tmp_path, "{{ each_line(row) }}", row, css) == loop


def test_each_line_can_be_said_twice_or_not_at_all(tmp_path: Path) -> None:
    twice = page(tmp_path, "{{ each_line(row) }}-{{ each_line(row) }}", ROWS[0], Css.INLINE)
    once = "{% for line in lines %}{{ row(line) }}{% endfor %}"
    assert twice == page(tmp_path, f"{once}-{once}", ROWS[0], Css.INLINE)
    assert page(tmp_path, "{% set said = each_line(row) %}nothing", ROWS[0], Css.INLINE).endswith("<div>nothing</div>")


@pytest.mark.parametrize(
    "css",
    [
        ".row:nth-child(odd) { color: red }",
        ".row:nth-child(6) { color: red }",
        ".row + .row { color: red }",
        ".row ~ .row { color: red }",
        "[title~=so] { color: red }",
        "br { color: red }",
        ".row > * { color: red }",
        "/* x */ p { color: red } /* * / */ BR { color: blue }",
        "p { font-family: 'a' } p:empty { color: red }",
        "@media print { p:nth-child(2) { color: red } } p { margin: 0 }",
        r"p\:nth-child { color: red }",
    ],
)
def test_a_style_that_tells_messages_apart_does_so(css: str, tmp_path: Path) -> None:
    row = '<p class="row" title="{{ line.code }}so">{{ line.text }}</p>'
    response = f"<style>{css}</style>{TAG.format('HH')}"
    made = []
    for said in ("{{ each_line(row) }}", "{% for line in lines %}{{ row(line) }}{% endfor %}"):
        (tmp_path / "transcript").mkdir(exist_ok=True)
        (tmp_path / "transcript/transcript.html").write_text(f"{{% macro row(line) %}}{row}{{% endmacro %}}{said}")
        made.append(with_transcript("", response, read(chat(*EVENTS)), folders=(tmp_path, *FOLDERS)).html)
    assert made[0] == made[1]


def test_a_row_is_asked_for_once_of_each_partys_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """And so thousands of messages cost their filling in."""
    asked: list[Line] = []
    made = Line.__init__

    def counted(line: Line, *given: object, **named: object) -> None:
        made(line, *given, **named)  # type: ignore[arg-type]
        asked.append(line)

    monkeypatch.setattr(Line, "__init__", counted)
    messages = [says(f"Hi {number}", user="cb"[number % 2], shift=number) for number in range(2_000)]
    transcript = read(chat(joins("Ann"), joins("Bob", "AGENT", user="b"), *messages))
    found = with_transcript(TAG.format("ss"), TAG.format("ss"), transcript, folders=FOLDERS)
    assert "[52] Bob: Hi 1999" in found.text
    assert ">Hi 1999<" in found.html
    assert len(asked) < 20


@pytest.mark.parametrize("events", [(), EVENTS])
def test_a_chat_without_entries_or_without_times_is_written(events: tuple[str, ...]) -> None:
    transcript = read(chat(*events, started=""))
    found = with_transcript("x", "x", transcript, folders=FOLDERS)
    assert found.text.count("refund") == found.html.count("refund") == 2 * len(events[:1])
    assert "Duration: " in found.text
    assert "[" not in found.text.replace("[say", "")


def test_who_nobody_knows_does_not_make_a_chat_slow() -> None:
    """Each unknown user would be a party of its own: a chat of so many would take minutes."""
    transcript = read(chat(*(says("Hi", user=f"u{number}") for number in range(5_000))))
    assert len({id(entry.party) for entry in transcript.entries}) == 1
