"""Waiting for interactions: one watcher looks at the store for all who wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from emaild.api.problems import Kind, Problem
from emaild.errors import StoreFailed
from emaild.store import Store

EVERY = 0.25  # seconds between two looks, for what other processes commit
PAUSE = 0.05  # seconds after a look that found something
PAUSE_EACH = 0.0025  # seconds of it for each who was told, up to EVERY: he looks himself then
MOST_WAITING = 400


class Arrivals:
    """Tells those who wait that something came. All but `changed` and `end` belongs to the loop's thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loop: asyncio.AbstractEventLoop | None = None
        self._seen = -1
        self.waiting = 0
        self._next = asyncio.Event()
        self._committed = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self.ended = False

    def next(self) -> asyncio.Event:
        """What will be set at the next change: to be taken before one looks oneself."""
        self._loop = asyncio.get_running_loop()
        return self._next

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Wait for it, so long at most.

        Raises:
            Problem: too many wait.
        """
        if self.waiting >= MOST_WAITING:
            raise Problem(Kind.BUSY, "too many programs wait; come again in a few seconds, or without wait")
        self.waiting += 1
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        try:
            await _set(event, seconds)
        finally:
            self.waiting -= 1

    def changed(self) -> None:
        """Something was changed that has no new number. From any thread."""
        self._soon(self._tell)

    def end(self) -> None:
        """Nobody waits any more. From any thread."""
        self.ended = True
        self.changed()

    async def _watch(self) -> None:
        with self._store.telling(self._knock):
            while self.waiting and not self.ended:
                self._committed.clear()  # before the look: who commits from now on knocks anew
                told = await self._look()
                pause = min(EVERY, max(PAUSE, PAUSE_EACH * told)) if told else 0.0
                await asyncio.sleep(pause)
                await _set(self._committed, EVERY - pause)

    async def _look(self) -> int:
        """Returns how many were told."""
        try:
            last = await run_in_threadpool(self._store.interactions.last_number)
        except StoreFailed:  # who waits will see it, or not, when he looks himself
            return 0
        if last == self._seen:
            return 0
        self._seen = last
        self._tell()
        return self.waiting

    def _knock(self) -> None:
        """This process has committed interactions. From any thread, which goes on at once."""
        if not self._committed.is_set():
            self._soon(self._committed.set)

    def _soon(self, act: Callable[[], None]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(act)

    def _tell(self) -> None:
        self._next.set()
        self._next = asyncio.Event()


async def _set(event: asyncio.Event, seconds: float) -> None:
    """When it is set, or so many seconds are over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
