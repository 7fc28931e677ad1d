"""How often each event was said since the process began, whether or not the log shows it."""

from __future__ import annotations

import threading
from collections import Counter

_lock = threading.Lock()
_said: Counter[tuple[str, str]] = Counter()


def count(event: str, level: str) -> None:
    """It was said once more."""
    with _lock:
        _said[event, level] += 1


def counted() -> dict[tuple[str, str], int]:
    """By event and level."""
    with _lock:
        return dict(_said)
