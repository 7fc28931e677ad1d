"""The states of all ways out, written to the store now and then for `emaild ways`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from emaild.clock import Clock
from emaild.errors import StoreFailed
from emaild.jobs.deliver import WayOut
from emaild.log import events
from emaild.store.ways_out import FAILING, WayOutStatus, WaysOut

EVERY = 1.0  # seconds between two writings
SAME = timedelta(seconds=1)  # a time that moved by less is not written anew


class WaysBoard:
    """A job that looks at the ways out each second, and writes down what is new."""

    name = "ways"
    host = "store"

    def __init__(
        self,
        kept: WaysOut,
        running: Callable[[], list[WayOut]],
        configured: Callable[[], Iterable[str]],
        clock: Clock,
        wake: Callable[[str], None],
    ) -> None:
        """*wake* has the way of that name tried at once; it is called where a person wants that."""
        self._kept = kept
        self._wake = wake
        self._running = running
        self._configured = configured
        self._clock = clock
        self._written = dict(kept.all())

    def run(self) -> float:
        """Once a second; a store that cannot be written just now is told of by the jobs that need it."""
        with contextlib.suppress(StoreFailed):
            self.flush()
        return EVERY

    def flush(self) -> None:
        """Write what is new. Raises StoreFailed; it is written the next time then."""
        now = self._clock.now()
        before = self._written
        states = {name: _resting(name, before.get(name)) for name in self._configured()}
        for way in self._running():
            name = way.section.name
            states[name] = status_of(way, before.get(name), now)
        if states == before and not self._kept.to_wake(before):
            return
        woken = self._kept.report(states.values(), before)
        self._written = states
        for name in woken:
            events.way_out_woken(section=name)
            self._wake(name)


def _resting(name: str, before: WayOutStatus | None) -> WayOutStatus:
    last_sent = before.last_sent if before else None
    return WayOutStatus(name=name, state="resting", last_sent=last_sent)


def status_of(way: WayOut, before: WayOutStatus | None, now: datetime) -> WayOutStatus:
    """How a way out fares; of what it does not know yet, what was known *before* a restart."""
    known = before or WayOutStatus(name=way.section.name, state="waiting")
    state, next_try = "ok" if way.answered else "waiting", None
    if way.failing:
        wait = way.rest.left()
        state, next_try = FAILING, now + timedelta(seconds=wait) if wait else None
    elif way.leases.held_back_until is not None and way.leases.held_back_until > now:
        state, next_try = "limited", way.leases.held_back_until
    if next_try and known.next_try and abs(next_try - known.next_try) < SAME:
        next_try = known.next_try
    return WayOutStatus(
        name=way.section.name,
        state=state,
        last_sent=way.last_sent or known.last_sent,
        last_error=way.rest.last_error or known.last_error,
        next_try=next_try,
    )
