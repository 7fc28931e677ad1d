"""What all connections to one mailbox of Microsoft Graph share: how many may ask at once, and when none may.

Exchange Online lets an application ask four things of a mailbox at a time, and says with Retry-After for how long it
wants to be left alone (Graph, service-specific throttling limits).
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from emaild.clock import Clock

AT_ONCE = 4


class Lane:
    """The way to one mailbox. Safe for any thread.

    `offered` are ids of mails of which Graph was asked to send them, and nobody knows yet whether it did.
    """

    def __init__(self) -> None:
        self.offered: set[str] = set()
        self._changed = threading.Condition()
        self._free = AT_ONCE
        self._waiting: deque[object] = deque()
        self._closed_until = 0.0

    @contextmanager
    def places(self, count: int, patience: float) -> Iterator[None]:
        """Hold that many of the four places. Who came first has them first, be it for one or for all.

        Raises:
            TimeoutError: they were not free in so many seconds.
        """
        turn = object()
        with self._changed:
            self._waiting.append(turn)
            try:
                if not self._changed.wait_for(lambda: self._waiting[0] is turn and self._free >= count, patience):
                    raise TimeoutError
                self._free -= count
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += count
                self._changed.notify_all()

    def rest(self, seconds: float, clock: Clock) -> None:
        """Nothing may be asked for that long."""
        with self._changed:
            self._closed_until = max(self._closed_until, clock.monotonic() + seconds)

    def closed_for(self, clock: Clock) -> float:
        """Seconds for which nothing may be asked."""
        with self._changed:
            return max(0.0, self._closed_until - clock.monotonic())


_lanes: weakref.WeakValueDictionary[tuple[str, str], Lane] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def lane_to(server: str, user: str) -> Lane:
    """The one lane to that mailbox, as long as anybody uses it."""
    with _lock:
        return _lanes.setdefault((server.lower(), user.lower()), Lane())
