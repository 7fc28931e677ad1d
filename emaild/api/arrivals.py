"""Waiting for interactions: one watcher looks at the store for all who wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from emaild.api.problems import Kind, Problem
from emaild.errors import StoreFailed

EVERY = 0.25  # seconds between two looks
MOST_WAITING = 400


class Arrivals:
    """Tells those who wait that something came. All but `changed` and `end` belongs to the loop's thread."""

    def __init__(self, last_number: Callable[[], int]) -> None:
        self._last_number = last_number
        self._loop: asyncio.AbstractEventLoop | None = None
        self._seen = -1
        self.waiting = 0
        self._next = asyncio.Event()
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
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await event.wait()
        finally:
            self.waiting -= 1

    def changed(self) -> None:
        """Something was changed that has no new number. From any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._tell)

    def end(self) -> None:
        """Nobody waits any more. From any thread."""
        self.ended = True
        self.changed()

    async def _watch(self) -> None:
        while self.waiting and not self.ended:
            with contextlib.suppress(StoreFailed):  # who waits will see it, or not, when he looks himself
                last = await run_in_threadpool(self._last_number)
                if last != self._seen:
                    self._seen = last
                    self._tell()
            await asyncio.sleep(EVERY)

    def _tell(self) -> None:
        self._next.set()
        self._next = asyncio.Event()
