"""Time, as something that is given: the daemon gets the system's, a test its own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where a part of emaild takes the time from."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC: for what is stored and shown."""

    def monotonic(self) -> float:
        """Seconds that only go forward: for waiting."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
