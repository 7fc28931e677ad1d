"""A conf file with everything commented out."""

from __future__ import annotations

from typing import Any

from emaild.settings.describe.contents import Contents, entries, heading, takers
from emaild.settings.describe.words import PROPERTIES_HELP, not_honoured, sentences, wrapped
from emaild.settings.option import options, section_kind
from emaild.settings.property_map import Property

_HEAD = """\
# What emaild can be told, commented out, each at its default. To use a line, take off its # where
# no space follows; the other lines explain. Sections are commented out too: one that stands counts,
# even empty. Made by `emaild options --format conf`.
"""


def as_conf(contents: Contents) -> str:
    """What can be set is commented out by # alone, what only explains by # and a space.

    Properties stand in the last section that takes them; those of no section that is described, at the end.
    """
    blocks = [_HEAD]
    left = list(contents.properties)
    for kind in contents.kinds:
        blocks += _section(kind)
        own = [one for one in left if takers(one.group)[-1] is kind]
        left = [one for one in left if one not in own]
        blocks += _properties(own)
    return "\n".join([*blocks, *_properties(left)])


def _section(kind: type[Any]) -> list[str]:
    declared = section_kind(kind)
    blocks = [wrapped(f"{heading(kind)}: {declared.help}", "# "), f"#[{declared.spellings[0]}]", ""]
    if declared.entries:
        blocks += [f"#{declared.entries}", ""]
    for option in options(kind):
        blocks += [wrapped(sentences(option), "# "), _line(option.name, option.default), ""]
    return blocks


def _properties(properties: list[Property]) -> list[str]:
    blocks = [wrapped(PROPERTIES_HELP, "# "), ""] if properties else []
    for entry in entries(properties):
        if entry.option is not None:
            lines = [_line(name, entry.option.default) for name in entry.names]
            blocks += [wrapped(sentences(entry.option), "# "), *lines, ""]
        elif entry.other is not None:
            blocks += [wrapped(f"{not_honoured(entry.other)} {', '.join(entry.names)}", "# "), ""]
    return blocks


def _line(name: str, default: str | None) -> str:
    return f"#{name} = {default or ''}".rstrip()
