"""Markdown: tables, one a section, and two of properties."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from emaild.settings.describe.contents import Contents, entries, heading
from emaild.settings.describe.words import PROPERTIES_HELP, default, meaning, not_honoured
from emaild.settings.option import Option, options, section_kind


def as_markdown(contents: Contents) -> str:
    """The document, with headings of the fourth level."""
    blocks: list[str] = []
    for kind in contents.kinds:
        declared = section_kind(kind)
        blocks += [f"#### {heading(kind)}", "", _plain(declared.help), ""]
        if declared.entries:
            blocks += [f"Its lines: `{declared.entries}`.", ""]
        blocks += table(_HEAD, [(option.name, *_cells(option)) for option in options(kind)])
    found = entries(contents.properties)
    if found:
        blocks += ["#### mail.*", "", _plain(PROPERTIES_HELP), ""]
    honoured = [(", ".join(entry.names), *_cells(entry.option)) for entry in found if entry.option]
    blocks += table(("honoured property", *_HEAD[1:]), honoured)
    others = [(", ".join(entry.names), not_honoured(entry.other)) for entry in found if entry.other]
    blocks += table(("other property", "what becomes of it"), others)
    return "\n".join(blocks)


_HEAD = ("option", "default", "expects", "meaning", "counts")


def _cells(option: Option) -> tuple[str, ...]:
    return default(option), option.parser.expects, meaning(option), option.effect.value


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Its lines and an empty one; none where there are no rows."""
    lines = ["| " + " | ".join(map(_plain, row)) + " |" for row in rows]
    return [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines, ""] if lines else []


def _plain(text: str) -> str:
    """Text in which nothing is taken for markup."""
    return re.sub(r"([|*<>\\])", r"\\\1", text)
