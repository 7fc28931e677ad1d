"""Time that a test moves by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class ManualClock:
    """An `emaild.clock.Clock` that stands still until it is told to go on."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._passed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return 1000.0 + self._passed

    def advance(self, seconds: float) -> None:
        """Let that many seconds pass at once."""
        self._passed += seconds

    def jump(self, seconds: float) -> None:
        """Set the clock on the wall, forward or back; no time passes."""
        self._start += timedelta(seconds=seconds)
