"""What the templates of a transcript get: its entries as lines, safe for the part that they are for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

from markupsafe import Markup

from emaild.render.simple_date_format import SimpleDateFormat
from emaild.render.transcript.values import Entry, EntryKind, Party, PartyKind, Transcript

LINK = re.compile(r"https?://[^\s<>\"'`\\]+", re.IGNORECASE)
SPOKEN = (EntryKind.MESSAGE, EntryKind.FILE)
NAMING = (EntryKind.FILE, EntryKind.RENAME)  # entries whose text is a name


@dataclass(frozen=True, slots=True)
class Line:
    """An entry for a template.

    `side` is `you` (the client), `them` or `system`, a class in HTML; `link` the address in `text` that can be opened.
    """

    kind: EntryKind
    side: str
    time: str
    party: Party
    text: str
    link: str
    code: str
    asker: Party | None
    size: int | None
    deleted: bool


def text_values(transcript: Transcript, times: SimpleDateFormat) -> dict[str, object]:
    """For the text part. The lines of a message are indented, so that none looks like another entry."""
    return _values(transcript, times, lambda text: text.replace("\n", "\n    "), str)


def html_values(transcript: Transcript, times: SimpleDateFormat) -> dict[str, object]:
    """For the HTML part, safe also in a template that escapes nothing.

    Lines have `<br>` between them, which stays where the style is dropped. Names are set apart: one that is written
    from right to left turns nothing round beside it.
    """

    def apart(name: str) -> Markup:
        return Markup("<bdi>{}</bdi>").format(name) if name else Markup("")

    return _values(transcript, times, lambda text: Markup("<br>").join(text.split("\n")), apart)


def _values(
    transcript: Transcript, times: SimpleDateFormat, written: Callable[[str], str], named: Callable[[str], str]
) -> dict[str, object]:
    start = transcript.started
    party = cache(lambda known: replace(known, name=named(known.name)))

    def time(shift: int) -> str:
        return written(times.format(start + timedelta(seconds=shift))) if start else ""

    def line(entry: Entry) -> Line:
        text = named(entry.text) if entry.kind in NAMING else written(entry.text)
        return Line(
            kind=entry.kind,
            side=_side(entry),
            time=time(entry.shift),
            party=party(entry.party),
            text=text,
            link=text if entry.kind is EntryKind.LINK and LINK.fullmatch(entry.text) else "",
            code=written(entry.code),
            asker=entry.asker and party(entry.asker),
            size=entry.size,
            deleted=entry.deleted,
        )

    return {
        "started": time(0),
        "duration": transcript.duration,
        "subject": named(transcript.subject),
        "lines": [line(entry) for entry in transcript.entries],
    }


def _side(entry: Entry) -> str:
    if entry.kind not in SPOKEN or entry.party.kind is PartyKind.SYSTEM:
        return "system"
    return "you" if entry.party.kind is PartyKind.CLIENT else "them"
