"""What health and metrics look at: the running parts, as the daemon gives them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from emaild.clock import Clock
from emaild.jobs.deliver import WayOut
from emaild.jobs.publish.job import WebhookState
from emaild.net.oauth.ending import Ending
from emaild.store import Store

T = TypeVar("T")


class Pulse:
    """What the daemon's main thread says of itself. `workers` are all threads that must be alive."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = clock.monotonic()
        self.workers: list[threading.Thread] = []
        self.started = False
        self.stopping = False

    def beat(self) -> None:
        """The main thread came round once more."""
        self._last = self._clock.monotonic()

    def silent_for(self) -> float:
        """Seconds since it did."""
        return self._clock.monotonic() - self._last


@dataclass(frozen=True, kw_only=True)
class Vitals:
    """Where to look. `webhook` is None where there is none."""

    store: Store
    clock: Clock
    pulse: Pulse
    ways_out: Callable[[], Sequence[WayOut]]
    webhook: Callable[[], WebhookState | None]
    endings: Callable[[], Sequence[Ending]]


class Kept(Generic[T]):
    """A value that is found out anew after so many seconds only, and by one thread at a time, whoever asks."""

    def __init__(self, find_out: Callable[[], T], seconds: float, clock: Clock) -> None:
        self._find_out = find_out
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._found: tuple[float, T] | None = None

    def __call__(self) -> T:
        """The value; it may be as old as that."""
        with self._lock:
            now = self._clock.monotonic()
            if self._found is None or now - self._found[0] >= self._seconds:
                self._found = now, self._find_out()
            return self._found[1]

    def fresh(self) -> T | None:
        """The value, if it need not be found out; None: it must be. Nobody waits for this."""
        found = self._found
        return found[1] if found is not None and self._clock.monotonic() - found[0] < self._seconds else None
