"""A fault of ours as a person is told of it who waits for the work; its traceback is for the log."""

from __future__ import annotations

import traceback
from pathlib import Path


def in_a_line(fault: Exception) -> str:
    """What it is and where it came from. What it says itself is left out: a secret may be in it."""
    *_, last = traceback.extract_tb(fault.__traceback__)
    return f"internal error: {type(fault).__name__} in {Path(last.filename).name}, line {last.lineno}"
