"""A page of text as it grows: where lines end, what stands in front of them, what is not seen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

NOTHING, SPACE, NEXT_CELL, NEW_LINE, BLANK_LINE = range(5)
"""What stands between two texts; of several wishes the greatest holds."""
BETWEEN = {SPACE: " ", NEXT_CELL: "\t"}
DEEPEST = 10  # quotes in quotes and lists in lists; deeper ones stand as these do
RULE = "_" * 32  # as Outlook writes it, which quoting.py knows

WHITE = re.compile(r"\s+")
FILL = re.compile("[\u00ad\u034f\u200b\u200e\u200f\u2060-\u2064\ufeff]+")
"""Characters without width; newsletters fill their previews with them."""
LOOSE_JOINERS = re.compile("(?<!\\S)[\u200c\u200d]+|[\u200c\u200d]+(?!\\S)")  # within a word they are spelling


@dataclass
class Numbering:
    """A list whose items are being written; `next` is None where they have no numbers."""

    depth: int
    next: int | None


@dataclass(frozen=True)
class State:
    """What an element does to all text within it. `row` is the line in which its row of a table began."""

    hidden: bool = False
    tiny: bool = False
    preserved: bool = False
    quotes: int = 0
    row: int = -1
    numbering: Numbering | None = None


@dataclass
class PageText:
    """Text that is written from its beginning to its end."""

    state: State = State()
    _lines: list[str] = field(default_factory=list)
    _line: list[str] = field(default_factory=list)
    _quotes: int = 0
    """In how many quotes the line stands."""
    _between: int = NOTHING
    _marker: str = ""
    _in_new_cell: bool = False

    def change(self, **how: object) -> None:
        """Text that follows is as the fields of State say."""
        self.state = replace(self.state, **how)  # type: ignore[arg-type]

    def say(self, text: str) -> None:
        """Write text; white space is one blank, unless it is preserved."""
        if self.state.hidden or self.state.tiny:
            return
        text = LOOSE_JOINERS.sub("", FILL.sub("", text))
        if self.state.preserved:
            first, *more = text.split("\n")
            self._put(first.rstrip())
            for line in more:
                self.line_break()
                self._put(line.rstrip())
            return
        said = WHITE.sub(" ", text)
        if said[:1] == " ":
            self.ask(SPACE)
        if said.strip():
            self._put(said.strip())
            if said[-1] == " ":
                self.ask(SPACE)
        elif "\N{NO-BREAK SPACE}" in text and self._between == NEW_LINE:
            self._between = BLANK_LINE  # a paragraph of nothing but this is how programs write an empty line

    def ask(self, between: int) -> None:
        """What at least is to stand before the text that follows; the first text of a cell is where the cell is."""
        if not self.state.hidden and not self._in_new_cell:
            self._between = max(self._between, between)

    def line_break(self) -> None:
        """End the line; where it has ended already leave one empty."""
        self.ask(NEW_LINE if self._between < NEW_LINE else BLANK_LINE)

    def rule(self) -> None:
        """A line across the page."""
        self.ask(NEW_LINE)
        if not self._line or self._line[-1] != RULE:
            self.say(RULE)
        self.ask(NEW_LINE)

    def begin_row(self) -> None:
        """A row of a table, whose first line begins with the next text."""
        self._between = max(self._between, NEW_LINE)
        self._end_line()
        self.change(row=len(self._lines))

    def begin_cell(self) -> None:
        """A cell stands in the line of the one before it, unless that had several."""
        in_line = self._line and len(self._lines) == self.state.row
        self._between = NEXT_CELL if in_line else max(self._between, NEW_LINE)
        self._in_new_cell = True

    def end_cell(self) -> None:
        """What follows is not in the cell."""
        self._in_new_cell = False

    def begin_item(self) -> None:
        """An item of a list, with its dot or number."""
        numbering = self.state.numbering or Numbering(0, None)
        self._marker = "  " * numbering.depth + ("- " if numbering.next is None else f"{numbering.next}. ")
        if numbering.next is not None:
            numbering.next += 1

    def begin_list(self, first: int | None) -> None:
        """A list, numbered where a first number is given."""
        outer = self.state.numbering
        self.change(numbering=Numbering(min(outer.depth + 1, DEEPEST) if outer else 0, first))

    def text(self) -> str:
        """All of it."""
        self._end_line()
        return "\n".join(self._lines) + ("\n" if self._lines else "")

    def _put(self, text: str) -> None:
        if not text:
            return
        if self._between >= NEW_LINE:
            self._end_line()
            if self._between == BLANK_LINE and self._lines:
                self._lines.append(("> " * min(self._quotes, self.state.quotes)).rstrip())
        elif self._line:
            self._line.append(BETWEEN.get(self._between, ""))
        if not self._line:
            self._quotes = self.state.quotes
            self._line = ["> " * self._quotes, self._marker]
            self._marker = ""
        self._line.append(text)
        self._between = NOTHING
        self._in_new_cell = False

    def _end_line(self) -> None:
        if self._line:
            self._lines.append("".join(self._line))
            self._line = []
