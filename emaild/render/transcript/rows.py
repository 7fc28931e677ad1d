"""A transcript's entries in its page: a template writes one message of each party, and the others are filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from operator import itemgetter
from secrets import token_hex
from typing import Any

from emaild.render.templates import Blank, rendered
from emaild.render.transcript.lines import HtmlPart, Line, Lines, TextPart, lines_of
from emaild.render.transcript.times import Times
from emaild.render.transcript.values import Entry, EntryKind, Transcript

Part = TextPart | HtmlPart


@dataclass(frozen=True)
class Alike:
    """Which entries differ only in time and words: `samples` has the first of each such set, `order` each one's set."""

    samples: list[int]
    order: list[int]


def alike(transcript: Transcript) -> Alike:
    """The messages of one party; every other entry is by itself."""
    found = Alike([], [])
    known: dict[int, int] = {}  # a party, by its identity since it costs less than its hash
    for number, entry in enumerate(transcript.entries):
        at = known.get(id(entry.party)) if _is_message(entry) else None
        if at is None:
            at = len(found.samples)
            found.samples.append(number)
            if _is_message(entry):
                known[id(entry.party)] = at
        found.order.append(at)
    return found


def _is_message(entry: Entry) -> bool:
    return entry.kind is EntryKind.MESSAGE and entry.text != ""


@dataclass(frozen=True)
class Marks:
    """What stands in a page for what is filled in at the end, and between texts.

    The inliner reads the page with the marks in it and writes it anew, before words are filled in. Those are written as
    it would write them between elements, and would be wrong, or not safe, anywhere else: in an attribute, a script, a
    textarea. So a mark ends in what shows where it stands: of a quotation mark and a `<br>` (`HtmlPart.after_mark`) the
    inliner makes `InlinedPart.after_mark` between elements and something else in other places, and where a style
    reaches a `<br>`. Where not every mark is whole after it (`all_in`), all is filled in first and inlined then.
    """

    secret: str
    """Nobody can guess it, so nothing that a chatter types is a mark."""
    after: str
    """The part's `after_mark`."""

    @property
    def time(self) -> str:
        return f"{self.secret}-time{self.after}"

    @property
    def text(self) -> str:
        return f"{self.secret}-text{self.after}"

    @property
    def apart(self) -> str:
        return f"{self.secret}-apart"

    @property
    def row(self) -> str:
        return f"<!--{self.secret}-row-->"

    @property
    def edge(self) -> str:
        return f"<!--{self.secret}-edge-->"

    def all_in(self, page: str) -> bool:
        """Whether all that are in the page are whole."""
        return page.count(self.secret) == sum(map(page.count, (self.time, self.text, self.row, self.edge)))


@dataclass(frozen=True)
class Page:
    """A transcript on its way into one part of a response."""

    transcript: Transcript
    times: Times
    alike: Alike
    part: Part
    secret: str = field(default_factory=lambda: token_hex(16))

    @property
    def marks(self) -> Marks:
        return Marks(self.secret, self.part.after_mark)

    def rendered(self, folders: tuple[Any, ...], **values: object) -> str:
        """The part's template with the marks still in it.

        Raises:
            InputError: the template is wrong.
        """
        values |= {
            "started": self.part.written(self.times.started),
            "duration": self.transcript.duration,
            "subject": self.part.named(self.transcript.subject),
            "lines": Lines(self._lines),
            "each_line": self._each_line,
        }
        return rendered(self.part.template, folders, values).strip("\n")

    def filled(self, page: str) -> list[str]:
        """The page in pieces, all entries in the place of the marks."""
        outside, *sections = page.split(self.marks.edge)
        if not sections:
            return [page]
        times = self._written(self.times.each)
        texts = self._written([entry.text for entry in self.transcript.entries])
        pieces = [outside]
        for inside, after in zip(sections[::2], sections[1::2], strict=True):
            rows = [self._form(row) for row in inside.split(self.marks.row)]
            for at, time, text in zip(self.alike.order, times, texts, strict=True):
                pieces += rows[at](time, text)
            pieces.append(after)
        return pieces

    def _lines(self) -> Iterable[Line]:
        return lines_of(self.transcript.entries, self.times.each, self.part)

    def _each_line(self, row: Callable[[Line], str]) -> str:
        """What *row*, a macro, writes for each line, one after the other."""
        try:
            found = self._marked(row)
        except Exception:  # noqa: BLE001  (it does more with blanks than print them; or it is wrong, as is seen below)
            found = ""
        written = found or "".join(map(row, self._lines()))
        return self.part.safe(written)

    def _marked(self, row: Callable[[Line], str]) -> str:
        """The rows of the samples; empty if they would not tell what *row* writes for the others."""
        if not self.times.each or not all(self.times.each):
            return ""
        rows: list[str] = []
        marks = (("time", self.marks.time), ("text", self.marks.text))
        for number in self.alike.samples:
            entry, time = self.transcript.entries[number], self.times.each[number]
            [line] = lines_of([entry], [time], self.part)
            written = str(row(line))
            if _is_message(entry):
                blank: dict[str, Any] = {name: Blank(self.part.safe(mark)) for name, mark in marks}
                marked = str(row(replace(line, **blank)))
                if "".join(self._form(marked)(line.time, line.text)) != written:
                    return ""
                written = marked
            rows.append(written)
        return f"{self.marks.edge}{self.marks.row.join(rows)}{self.marks.edge}"

    def _form(self, row: str) -> Callable[[str, str], tuple[str, ...]]:
        """What gives the pieces of a row with a time and words in the places of their marks."""
        fixed, order = [""], [2]  # so that there is more than one piece
        for number, between_times in enumerate(row.split(self.marks.time)):
            order += [0] if number else []
            for again, between in enumerate(between_times.split(self.marks.text)):
                fixed.append(between)
                order += [1, 1 + len(fixed)] if again else [1 + len(fixed)]
        pieces = itemgetter(*order)
        return lambda time, text: pieces((time, text, *fixed))

    def _written(self, texts: list[str]) -> list[str]:
        """All texts written, at once since many are short."""
        return str(self.part.written(self.marks.apart.join(texts))).split(self.marks.apart)
