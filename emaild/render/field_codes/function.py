"""What a function is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.values import Kind, Value

ORDINALS = {1: "1st", 2: "2nd", 3: "3rd"}


@dataclass(frozen=True)
class Function:
    """A function of the language; `arguments` and `line` are its documentation, and `ours` says that Genesys has none.

    `kinds` are those of its arguments, of which `least` must be given; `endless` ones repeat the last. `does` gets the
    scope and the arguments.
    """

    name: str
    arguments: str
    line: str
    kinds: tuple[Kind, ...]
    does: Callable[..., Value]
    least: int
    returns: Kind
    endless: bool = False
    ours: bool = True

    def check_count(self, given: int) -> None:
        """Refuse a wrong number of arguments.

        Raises:
            Wrong: there are too few or too many.
        """
        most = len(self.kinds)
        if given >= self.least and (self.endless or given <= most):
            return
        wanted = str(self.least) if self.least == most else f"{self.least} to {most}"
        if self.endless:
            wanted = f"at least {self.least}"
        raise Wrong(f"{self.name} got {given} arguments; expected {wanted}: {self.name}({self.arguments})")

    def kind(self, number: int) -> Kind:
        """The kind of the argument of that number, from 0."""
        return self.kinds[min(number, len(self.kinds) - 1)]

    def unfit(self, number: int, found: str) -> Wrong:
        """The fault of an argument of another kind."""
        ordinal = ORDINALS.get(number + 1, f"{number + 1}th")
        return Wrong(f"expected {self.kind(number).value}, found {found} as the {ordinal} argument of {self.name}")
