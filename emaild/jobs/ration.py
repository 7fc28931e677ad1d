"""How many mails a way out may take a minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

MINUTE = 60.0


class Ration:
    """A sliding minute. Not safe in several threads."""

    def __init__(self, limit: int, already: Sequence[float]) -> None:
        """*limit* 0: no limit. *already* is when others were sent before, on the monotonic clock, the first first."""
        self._limit = limit
        self._taken = deque(already)

    def left(self, now: float) -> int | None:
        """How many may be sent now; None: any number."""
        if not self._limit:
            return None
        while self._taken and self._taken[0] <= now - MINUTE:
            self._taken.popleft()
        return max(0, self._limit - len(self._taken))

    def take(self, count: int, now: float) -> None:
        """So many are sent now."""
        if self._limit:
            self._taken.extend([now] * count)

    def give_back(self, count: int) -> None:
        """So many of those that were taken last were not sent."""
        for _ in range(min(count, len(self._taken))):
            self._taken.pop()

    def whole_in(self, now: float) -> float:
        """Seconds until as many may be sent as the limit says, if none is until then: a minute at most."""
        return max(0.0, self._taken[-1] + MINUTE - now) if self._taken else 0.0
