"""For a terminal."""

from __future__ import annotations

from emaild.settings.describe.contents import Contents, entries, heading
from emaild.settings.describe.words import PROPERTIES_HELP, of_entry, sentences, wrapped
from emaild.settings.option import options, section_kind


def as_text(contents: Contents) -> str:
    """Names, and below each what there is to say of it."""
    blocks = []
    for kind in contents.kinds:
        declared = section_kind(kind)
        blocks.append(f"{heading(kind)}\n{wrapped(declared.help, '    ')}\n")
        blocks += [f"  {option.name}\n{wrapped(sentences(option), '      ')}" for option in options(kind)]
        if declared.entries:
            blocks.append(f"  {declared.entries}")
        blocks.append("")
    if len(contents.properties) > 1:
        blocks.append(f"mail.*\n{wrapped(PROPERTIES_HELP, '    ')}\n")
    blocks += [
        f"{wrapped(', '.join(entry.names), '  ')}\n{wrapped(of_entry(entry), '      ')}"
        for entry in entries(contents.properties)
    ]
    return "\n".join(blocks).rstrip("\n") + "\n"
