"""Long lists of patterns, one a line."""

from __future__ import annotations

import re


def any_of(*texts: str) -> re.Pattern[str]:
    """What finds any of the patterns of *texts*, in whatever case.

    A text holds one a line; empty lines and those that begin with # do not count.
    """
    return re.compile(alternatives(*texts), re.IGNORECASE)


def alternatives(*texts: str) -> str:
    """The patterns of *texts* as one group, to be part of a greater one."""
    lines = [line.strip() for text in texts for line in text.split("\n")]
    return f"(?:{'|'.join(line for line in lines if line and not line.startswith('#'))})"
