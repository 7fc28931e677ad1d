"""What all documents say of an option or a property, in the same words."""

from __future__ import annotations

import textwrap

from emaild.settings.describe.contents import Entry
from emaild.settings.option import Option
from emaild.settings.property_map import Other, Treatment

WIDTH = 100

PROPERTIES_HELP = (
    "Properties of JavaMail, for the sections of mailboxes and of ways out. A section takes those of its own protocol,"
    " mail.mime.* and those that belong to no protocol. Times are milliseconds."
)
_SENTENCES = {
    Treatment.INTERNAL: "Internal: it cannot be set, {} sets it.",
    Treatment.CONTROLLED: "Controlled: it cannot be set here, only by {}.",
    Treatment.WITHOUT_EFFECT: "Without effect: {}.",
    Treatment.ALWAYS: "Always so, false has no effect: {}.",
    Treatment.REFUSED: "Refused: {}.",
}


def default(option: Option) -> str:
    """`30 (emaild's own)`: the default, and whether it is ours because Genesys's is not known."""
    if option.required:
        return "must be given"
    return (option.default or "empty") + (" (emaild's own)" if option.ours else "")


def remark(option: Option) -> str:
    """What an option lacks, as sentences; empty for one that has its full effect."""
    return f"No effect here: {option.idle}." if option.idle else ""


def meaning(option: Option) -> str:
    """Its help, and what it lacks."""
    return f"{option.help} {remark(option)}".rstrip()


def sentences(option: Option) -> str:
    """Everything about an option."""
    given = "Must be given" if option.required else f"Default: {default(option)}"
    return f"{meaning(option)} Expects {option.parser.expects}. {given}. Counts {option.effect}."


def not_honoured(other: Other) -> str:
    """What becomes of a property that is not honoured, and why."""
    return _SENTENCES[other.treatment].format(other.why or "emaild")


def of_entry(entry: Entry) -> str:
    """Everything about a property."""
    if entry.option is not None:
        return f"Honoured. {sentences(entry.option)}"
    assert entry.other is not None
    return not_honoured(entry.other)


def wrapped(text: str, prefix: str) -> str:
    """Lines of up to WIDTH characters, with *prefix* before each; names are never broken."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=prefix,
        subsequent_indent=prefix,
        break_on_hyphens=False,
        break_long_words=False,
    )
