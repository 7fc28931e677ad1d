"""What the templates of a transcript get: its entries as lines, safe for the part that they are for."""

from __future__ import annotations

import re
from collections import UserList
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property

from markupsafe import Markup, escape

from emaild.render.transcript.values import Entry, EntryKind, Party, PartyKind

LINK = re.compile(r"https?://[^\s<>\"'`\\]+", re.IGNORECASE)
ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\N{NO-BREAK SPACE}", "&nbsp;"), ("\n", "<br>"))
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


class Lines(UserList[Line]):
    """Lines that are made when a template looks at them."""

    def __init__(self, made: Callable[[], Iterable[Line]] | Iterable[Line] = ()) -> None:
        self._made = made

    @cached_property
    def data(self) -> list[Line]:  # type: ignore[override]  # UserList keeps it as an attribute
        return list(self._made() if callable(self._made) else self._made)


class TextPart:
    """How the text part says it. The lines of a message are indented, so that none looks like another entry."""

    template = "transcript/transcript.txt"
    after_mark = ""

    def written(self, text: str) -> str:
        return text.replace("\n", "\n    ")

    def safe(self, text: str) -> str:
        return text

    def named(self, name: str) -> str:
        return name


class HtmlPart:
    """How the HTML part says it, safe also in a template that escapes nothing.

    Lines have `<br>` between them, which stays where the style is dropped. Names are set apart: one that is written
    from right to left turns nothing round beside it.
    """

    template = "transcript/transcript.html"
    after_mark = "&#34;<br>"  # see `Marks`

    def written(self, text: str) -> str:
        return self.safe(str(escape(text)).replace("\n", "<br>"))

    def safe(self, html: str) -> str:
        return Markup(html)  # noqa: S704  (it is escaped)

    def named(self, name: str) -> str:
        return Markup("<bdi>{}</bdi>").format(name) if name else Markup("")


class InlinedPart(HtmlPart):
    """How the inliner writes text, by HTML's §13.3, "Escaping a string"; safe between elements only (see `Marks`)."""

    after_mark = '"<br>'

    def written(self, text: str) -> str:
        for character, reference in ESCAPES:
            text = text.replace(character, reference)
        return text


def lines_of(entries: Iterable[Entry], times: Iterable[str], part: TextPart | HtmlPart) -> Iterator[Line]:
    """A line for each entry with its time."""
    party = cache(lambda known: replace(known, name=part.named(known.name)))
    for entry, time in zip(entries, times, strict=True):
        text = part.named(entry.text) if entry.kind in NAMING else part.written(entry.text)
        yield Line(
            kind=entry.kind,
            side=_side(entry),
            time=time and part.written(time),
            party=party(entry.party),
            text=text,
            link=text if entry.kind is EntryKind.LINK and LINK.fullmatch(entry.text) else "",
            code=part.written(entry.code),
            asker=entry.asker and party(entry.asker),
            size=entry.size,
            deleted=entry.deleted,
        )


def _side(entry: Entry) -> str:
    if entry.kind not in SPOKEN or entry.party.kind is PartyKind.SYSTEM:
        return "system"
    return "you" if entry.party.kind is PartyKind.CLIENT else "them"
