"""The declared options as documents: text, Markdown, JSON, and the commented conf file."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from emaild.settings.load import SECTIONS
from emaild.settings.option import Option, options, section_kind

WIDTH = 100


def find(name: str) -> tuple[type[Any], ...]:
    """The section classes that a section of that name would be of; empty where there is none."""
    return tuple(kind for kind in SECTIONS if section_kind(kind).matches(name))


def heading(kind: type[Any]) -> str:
    """How a section is written: `[emaild]`, or all spellings of a family."""
    declared = section_kind(kind)
    if not declared.family:
        return f"[{declared.name}]"
    return f"[{declared.name}], [{declared.name}1], [{declared.name}-NAME]"


def as_text(kinds: Iterable[type[Any]]) -> str:
    """For a terminal."""
    blocks = []
    for kind in kinds:
        blocks.append(f"{heading(kind)}\n{_wrapped(section_kind(kind).help, '    ')}\n")
        for option in options(kind):
            blocks.append(f"  {option.name}\n{_wrapped(_sentence(option), '      ')}")
        blocks.append("")
    return "\n".join(blocks)


def as_markdown(kinds: Iterable[type[Any]]) -> str:
    """Tables, one a section."""
    blocks = []
    for kind in kinds:
        blocks += [f"#### {heading(kind)}", "", section_kind(kind).help, ""]
        blocks += ["| option | default | expects | meaning | counts |", "|---|---|---|---|---|"]
        for option in options(kind):
            cells = (option.name, _default(option), option.parser.expects, option.help, option.effect.value)
            blocks.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        blocks.append("")
    return "\n".join(blocks)


def as_json(kinds: Iterable[type[Any]]) -> str:
    """One object a line and option."""
    lines = []
    for kind in kinds:
        for option in options(kind):
            described = {
                "section": section_kind(kind).name,
                "family": section_kind(kind).family,
                "option": option.name,
                "default": option.default,
                "required": option.required,
                "expects": option.parser.expects,
                "secret": option.parser.secret,
                "effect": option.effect.value,
                "help": option.help,
            }
            lines.append(json.dumps(described, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def as_conf(kinds: Iterable[type[Any]]) -> str:
    """A conf file with every option commented out."""
    blocks = [
        "# The conf file of emaild, with every option that it knows, commented out, at its default.",
        "# Made by `emaild options --format conf`. A line that starts with # or ; is a comment.",
        "# Sections are commented out too: one that stands counts, even empty.",
        "",
    ]
    for kind in kinds:
        blocks += [_wrapped(section_kind(kind).help, "# "), f"#[{section_kind(kind).name}]", ""]
        for option in options(kind):
            value = option.default or ""
            blocks += [_wrapped(_sentence(option), "# "), f"#{option.name} = {value}".rstrip(), ""]
    return "\n".join(blocks)


FORMATS: dict[str, Callable[[Iterable[type[Any]]], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "conf": as_conf,
    "json": as_json,
}


def _default(option: Option) -> str:
    if option.required:
        return "(must be given)"
    return option.default or "(empty)"


def _sentence(option: Option) -> str:
    given = "Must be given" if option.required else f"Default: {option.default or 'empty'}"
    return f"{option.help} Expects {option.parser.expects}. {given}. Counts {option.effect.value}."


def _wrapped(text: str, prefix: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=prefix,
        subsequent_indent=prefix,
        break_on_hyphens=False,
        break_long_words=False,
    )
