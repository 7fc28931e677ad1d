"""Long lists of patterns, one a line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

ODD_CASE = re.compile("[^\0-\xff\u0400-\u045f\u3000-\ua4ff\uac00-\ud7a3]")
"""Letters that a pattern without regard to case may fit though their small form does not, as dotless i and i."""


@dataclass(frozen=True)
class Phrases:
    """A long list of patterns, as `any_of` takes it. Each text that one of them fits has one of the *stems*.

    So nearly all texts are looked at once, and not pattern by pattern. One with an odd letter may have no stem. The
    stems are in lower case.
    """

    text: str
    stems: re.Pattern[str]

    @cached_property
    def patterns(self) -> re.Pattern[str]:
        """They are many: they are compiled for the first text that has a stem."""
        return any_of(self.text)

    def search(self, text: str) -> re.Match[str] | None:
        """As that of a pattern."""
        if self.stems.search(text.lower()) or ODD_CASE.search(text):
            return self.patterns.search(text)
        return None


def any_of(*texts: str) -> re.Pattern[str]:
    """What finds any of the patterns of *texts*, in whatever case.

    A text holds one a line; empty lines and those that begin with # do not count.
    """
    return re.compile(alternatives(*texts), re.IGNORECASE)


def alternatives(*texts: str) -> str:
    """The patterns of *texts* as one group, to be part of a greater one."""
    lines = [line.strip() for text in texts for line in text.split("\n")]
    return f"(?:{'|'.join(line for line in lines if line and not line.startswith('#'))})"
