"""Our own templates: an operator can put another in their place, and nothing in one gets out of its box."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from emaild.errors import InputError
from emaild.render.templates import rendered
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
