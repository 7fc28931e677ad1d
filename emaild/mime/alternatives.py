"""Long lists of patterns, one a line."""

from __future__ import annotations

import re
from dataclasses import dataclass

ODD_CASE = re.compile("[^\0-\xff\u0400-\u045f\u3000-\ua4ff\uac00-\ud7a3]")
"""Letters that a pattern without regard to case may fit though their small form does not, as dotless i and i."""


@dataclass(frozen=True)
class Phrases:
    """A long list of *patterns*. Each text that one of them fits has one of the *stems*, which are in lower case.

    So nearly all texts are looked at once, and not pattern by pattern. One with an odd letter may have no stem.
    """

    patterns: re.Pattern[str]
    stems: re.Pattern[str]

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
