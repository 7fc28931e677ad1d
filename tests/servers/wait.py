"""The one way the tests wait: for a condition, and never without a bound."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_FIRST_PAUSE = 0.002
_LONGEST_PAUSE = 0.05


def eventually(condition: Callable[[], T], within: float = 5.0, what: str = "") -> T:
    """Return the first true value of *condition*, asked again and again for *within* seconds.

    Raises:
        AssertionError: the condition stayed false; *what* says in words what was awaited.
    """
    deadline = time.monotonic() + within
    pause = _FIRST_PAUSE
    never = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {within} s: {what or condition}; the last value was {value!r}")
        never.wait(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
