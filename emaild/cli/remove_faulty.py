"""A mailbox or way out that is wrong itself: what stays when it is taken out, where all else is right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emaild.errors import ConfigError
from emaild.provision.section_text import line_in, without
from emaild.settings.files import folder_of, read_files
from emaild.settings.load import Settings, load
from emaild.settings.mailbox import MailboxSection
from emaild.settings.option import section_kind
from emaild.settings.way_out import WayOutSection


@dataclass(frozen=True)
class Faulty:
    """A section as its header spells it, the file of conf.d that it stands in, and the settings without it."""

    name: str
    home: Path
    settings: Settings


def faulty(conf: Path, name: str) -> Faulty | None:
    """The mailbox or way out of that name; None: it is in no file of conf.d, or several, or not it alone is wrong."""
    if not any(section_kind(kind).matches(name) for kind in (MailboxSection, WayOutSection)):
        return None
    homes = {path: (text, line) for path, text in read_files(conf).files.items() if (line := line_in(text, name))}
    if len(homes) != 1:
        return None
    home, (text, line) = next(iter(homes.items()))
    if home.parent != folder_of(conf):
        return None
    header = text.decode("utf-8", "replace").removeprefix("\ufeff").split("\n")[line - 1]
    try:
        left = load(conf, outside_unit=True, instead={home: without(text, [name])})
    except ConfigError:
        return None
    return Faulty(header.strip()[1:-1].strip(), home, left)
