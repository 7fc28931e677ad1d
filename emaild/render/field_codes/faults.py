"""What is wrong with a field code, and where."""

from __future__ import annotations

from emaild.render.field_codes.marks import plain


class FieldCodeError(ValueError):
    """A wrong field code.

    `problem` says what was found and what was expected; `offset` counts the characters of the text from 0, `line` and
    `column` count from 1.
    """

    def __init__(self, problem: str, text: str, offset: int) -> None:
        self.problem, self.offset = problem, offset
        self.line = text.count("\n", 0, offset) + 1
        self.column = offset - text.rfind("\n", 0, offset)
        super().__init__(f"{problem} (line {self.line}, column {self.column})")


class Wrong(Exception):
    """The same while the text is not at hand; without an offset it is that of the node being worked on."""

    def __init__(self, problem: str, offset: int | None = None) -> None:
        super().__init__(problem)
        self.problem, self.offset = plain(problem), offset

    def at(self, offset: int) -> Wrong:
        """The fault with a place, its own where it has one."""
        return self if self.offset is not None else Wrong(self.problem, offset)
