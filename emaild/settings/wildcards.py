"""Patterns as operators write them: a * stands for any text, ? for one character."""

from __future__ import annotations

import functools
import re

LONGEST = 10_000  # characters of a text that are looked at


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text is as the pattern says, without regard to case."""
    return _compiled(pattern).fullmatch(text[:LONGEST]) is not None


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Each piece between two stars is looked for once, behind the one before it, and never again further on.

    So many stars cost no more than few, whatever the text; and no match is missed, for the rest of a text that begins
    sooner holds all that begins later.
    """
    first, *rest = (re.escape(piece).replace(r"\?", ".") for piece in pattern.split("*"))
    if rest:
        first += "".join(f"(?>.*?{piece})" for piece in rest[:-1]) + f".*{rest[-1]}"
    return re.compile(first, re.IGNORECASE | re.DOTALL)
