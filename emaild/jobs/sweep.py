"""Tidying: what is older than the settings say goes, in steps so small that nobody waits for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from emaild.clock import Clock
from emaild.errors import StoreFailed
from emaild.jobs.deliver import WayOut
from emaild.jobs.health import StoreHealth
from emaild.log import events
from emaild.settings.daemon import StoreSection
from emaild.store import Store

EVERY = 60.0  # seconds; far below a lease, which this job renews
STEP = 100  # rows removed in one commit
REQUESTS = 7  # days for which a program may repeat a request
STEPS = 20  # commits in one run; the rest goes the next time


class Sweep:
    """The job that prunes the store, renews leases and gives up expired mails."""

    name = "sweep"
    host = "store"

    def __init__(
        self,
        store: Store,
        clock: Clock,
        section: Callable[[], StoreSection],
        ways: Callable[[], list[WayOut]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._section = section
        self._ways = ways
        self._health = StoreHealth("sweep")

    def run(self) -> float:
        """Once a minute."""
        try:
            ways = self._ways()
            for way in ways:
                way.leases.renew()
            self._store.sending.take_back(self._clock.now())  # before it is due again it may expire
            for way in ways:
                way.expire()
                if way.returns:
                    way.returns.tell_of_late(self._clock.now())
            self._prune()
            self._health.worked()
        except StoreFailed as error:
            self._health.failed(error)
        return EVERY

    def _prune(self) -> None:
        section, now = self._section(), self._clock.now()
        gone = [0, 0, 0, 0]
        kept = (section.keep_interactions, section.history_days)
        for place, days, prune in (
            (0, section.keep_interactions, self._store.interactions.prune),
            (1, section.history_days, self._store.outbox.prune),
            (2, max(kept) if all(kept) else 0, self._store.known.prune),  # threads outlive either
            (3, REQUESTS, self._store.writing.prune),
        ):
            for _ in range(STEPS if days else 0):
                removed = prune(now - timedelta(days=days), STEP)
                gone[place] += removed
                if removed < STEP:
                    break
        if any(gone[:2]):
            events.store_pruned(interactions=gone[0], history=gone[1])
