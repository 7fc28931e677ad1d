"""Our own templates: an operator can put another in their place, and nothing in one gets out of its box."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from emaild.errors import InputError
from emaild.render.templates import MOST_KEPT, TEXT_CODES, rendered
from emaild.shipped import shipped


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """The operator's folder, and the shipped one with a template in it."""
    own, ours = tmp_path / "own", tmp_path / "shipped"
    for folder in (own, ours):
        (folder / "notices").mkdir(parents=True)
    (ours / "notices/hello.txt").write_text("Hello {{ name }}\n")
    return own, ours


def test_a_template_is_filled(folders: tuple[Path, Path]) -> None:
    assert rendered("notices/hello.txt", folders, {"name": "Änn & <Bob>"}) == "Hello Änn & <Bob>\n"


def test_the_operators_template_takes_the_place_of_the_shipped_one(folders: tuple[Path, Path]) -> None:
    (folders[0] / "notices/hello.txt").write_text("Grüß Gott {{ name }}", encoding="utf-8")
    assert rendered("notices/hello.txt", folders, {"name": "Ann"}) == "Grüß Gott Ann"


def test_what_comes_from_outside_is_escaped_in_html(folders: tuple[Path, Path]) -> None:
    (folders[1] / "hello.html").write_text("<p>{{ name }}</p>")
    assert rendered("hello.html", folders, {"name": "<script>"}) == "<p>&lt;script&gt;</p>"


@pytest.mark.parametrize("way", ['{% from "words.txt" import said %}{{ said(name) }}', '{% include "hello.txt" %}'])
def test_in_html_a_text_template_that_is_taken_in_escapes_too(folders: tuple[Path, Path], way: str) -> None:
    (folders[1] / "words.txt").write_text("{% macro said(name) %}<i>{{ name }}</i>{% endmacro %}")
    (folders[1] / "hello.txt").write_text("<i>{{ name }}</i>")
    for name in ("page.html", "page.txt"):
        (folders[1] / name).write_text(way)
    assert rendered("page.html", folders, {"name": "<script>"}) == "<i>&lt;script&gt;</i>"
    assert rendered("page.txt", folders, {"name": "<script>"}) == "<i><script></i>"


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ name.__class__.__init__.__globals__ }}",
        "{{ names.append(1) }}",
        "{{ ''.format.__globals__ }}",
        "{% for x in range(10000000) %}x{% endfor %}",
        "{{ nme }}",
        "{{ 1 / 0 }}",
        "{% if %}",
        "{{ ",
        "{% include '../../../etc/passwd' %}",
    ],
)
def test_a_template_that_reaches_too_far_or_is_wrong_is_refused(folders: tuple[Path, Path], template: str) -> None:
    (folders[0] / "bad.txt").write_text(template)
    with pytest.raises(InputError, match=r"template bad\.txt: \S") as refused:
        rendered("bad.txt", folders, {"name": "Ann", "names": []})
    assert "\n" not in str(refused.value)


def test_a_template_that_changed_is_read_again(folders: tuple[Path, Path]) -> None:
    (folders[1] / "words.txt").write_text("{% macro said() %}old{% endmacro %}")
    (folders[1] / "page.txt").write_text("{% from 'words.txt' import said %}{{ said() }}")
    assert rendered("page.txt", folders, {}) == "old"
    (folders[1] / "words.txt").write_text("{% macro said() %}new{% endmacro %}")
    assert rendered("page.txt", folders, {}) == "new"
    (folders[0] / "words.txt").write_text("{% macro said() %}own{% endmacro %}")
    assert rendered("page.txt", folders, {}) == "own"


def test_nothing_that_a_template_sets_is_seen_by_the_next_rendering(folders: tuple[Path, Path]) -> None:
    words = "{% set kept = namespace(name='nobody') %}{% macro swap(name) %}{{ kept.name }}{% set kept.name = name %}"
    (folders[1] / "words.txt").write_text(words + "{% endmacro %}")
    (folders[1] / "page.txt").write_text("{% from 'words.txt' import swap %}{{ swap(name) }} {{ swap(name) }}")
    assert [rendered("page.txt", folders, {"name": name}) for name in ("Ann", "Bob")] == ["nobody Ann", "nobody Bob"]


def test_a_template_is_compiled_once(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    generate = ImmutableSandboxedEnvironment._generate

    def counted(
        self: ImmutableSandboxedEnvironment, source: nodes.Template, name: str | None, *more: Any, **named: Any
    ) -> str:
        compiled.append(str(name))
        return generate(self, source, name, *more, **named)

    monkeypatch.setattr(ImmutableSandboxedEnvironment, "_generate", counted)
    for number in range(3):
        assert rendered("notices/hello.txt", folders, {"name": f"Ann {number}"}) == f"Hello Ann {number}\n"
    assert compiled == ["notices/hello.txt"]


def test_no_more_code_is_kept_than_of_a_hundred_templates(folders: tuple[Path, Path]) -> None:
    for number in range(2 * MOST_KEPT):
        (folders[0] / f"{number}.txt").write_text("{{ name }}")
        assert rendered(f"{number}.txt", folders, {"name": "Ann"}) == "Ann"
    assert len(TEXT_CODES.kept) <= MOST_KEPT


@pytest.mark.parametrize("name", ["missing.txt", "../shipped/notices/hello.txt", "/etc/passwd", ""])
def test_a_template_that_is_not_in_the_folders_is_not_found(folders: tuple[Path, Path], name: str) -> None:
    with pytest.raises(InputError):
        rendered(name, folders, {})


def test_a_template_that_is_no_text_is_refused(folders: tuple[Path, Path]) -> None:
    (folders[0] / "bad.txt").write_bytes(b"\xff")
    with pytest.raises(InputError):
        rendered("bad.txt", folders, {})


def test_the_shipped_test_mail_can_be_filled() -> None:
    values: dict[str, object] = {
        "now": datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        "way_out": "smtp-client",
        "server": "smtp.example.com:25",
    }
    text = rendered("notices/test-mail.txt", (shipped("templates"),), values)
    assert "2026-03-02 09:30:00 UTC" in text
    assert "[smtp-client] through smtp.example.com:25" in text
