"""Watching connections that wait for their server: one thread and one epoll(7) for all of them.

A connection has one owner. While it is watched that is this watch, which never reads from it: when the server says
something, the time is up or the connection is called back, it is unregistered first, and then its owner-to-be told.
What that costs does not depend on how many are watched.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import select
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from emaild.clock import Clock

SPARE = 64  # void entries that are kept however few are watched


@dataclass(frozen=True)
class _Watched:
    name: str
    descriptor: int
    until: float  # on the monotonic clock
    back: Callable[[], None]


class IdleWatch:
    """Holds idle connections by name. All methods may be called from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._epoll = select.epoll()
        self._door = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._watched: dict[str, _Watched] = {}
        self._names: dict[int, str] = {}  # by descriptor
        self._order = itertools.count()
        self._heap: list[tuple[float, int, _Watched]] = []  # by their times; void are those not watched any more
        self._thread = threading.Thread(target=self._run, name="idle", daemon=True)
        self._stopping = False

    def start(self) -> None:
        """Begin to watch."""
        self._epoll.register(self._door, select.EPOLLIN)
        self._thread.start()

    def watch(self, name: str, connection: socket.socket, seconds: float, back: Callable[[], None]) -> None:
        """Take over a connection; call *back*, once, when it is to be looked at or after that many seconds.

        *back* must return at once, and call no method of this watch.
        """
        entry = _Watched(name, connection.fileno(), self._clock.monotonic() + seconds, back)
        with self._lock:
            if self._stopping:
                return
            self._forget(name)
            try:
                self._epoll.register(entry.descriptor, select.EPOLLIN)
            except (ValueError, OSError):  # closed, or registered under another name
                back()
                return
            self._watched[name] = entry
            self._names[entry.descriptor] = name
            heapq.heappush(self._heap, (entry.until, next(self._order), entry))
            if len(self._heap) > 2 * len(self._watched) + SPARE:
                self._heap = [one for one in self._heap if self._watched.get(one[2].name) is one[2]]
                heapq.heapify(self._heap)
            if self._heap[0][2] is entry:
                self._knock()

    def recall(self, name: str) -> None:
        """Give a connection back: when this returns it is not watched, and its *back* will not be called."""
        with self._lock:
            self._forget(name)

    def time_has_passed(self) -> None:
        """Look at the clock again: for whoever moves a clock of his own."""
        with self._lock:
            self._knock()

    def stop(self) -> None:
        """End the thread. Connections still watched are dropped; whoever closes them is their owner."""
        with self._lock:
            self._knock()
            self._stopping = True
        self._thread.join(timeout=5)

    def _knock(self) -> None:
        if not self._stopping:  # else the descriptor may be another file's by now
            os.eventfd_write(self._door, 1)

    def _run(self) -> None:
        wait: float | None = None
        while True:
            heard = self._epoll.poll(wait)
            with self._lock:
                if self._stopping:
                    break
                for descriptor, _ in heard:
                    if descriptor == self._door:
                        os.eventfd_read(self._door)
                    else:
                        self._give_back(self._names.get(descriptor, ""))
                wait = self._until_next()
        self._epoll.close()
        os.close(self._door)

    def _until_next(self) -> float | None:
        """Give back those whose time is up; seconds until that of the next."""
        now = self._clock.monotonic()
        while self._heap:
            until, _, entry = self._heap[0]
            if self._watched.get(entry.name) is entry:
                if until > now:
                    return until - now
                self._give_back(entry.name)
            heapq.heappop(self._heap)
        return None

    def _forget(self, name: str) -> _Watched | None:
        entry = self._watched.pop(name, None)
        if entry is not None and self._names.get(entry.descriptor) == name:  # else it was closed, and is another's now
            del self._names[entry.descriptor]
            with contextlib.suppress(ValueError, OSError):  # closed: epoll forgot it by itself
                self._epoll.unregister(entry.descriptor)
        return entry

    def _give_back(self, name: str) -> None:
        entry = self._forget(name)
        if entry is not None:
            entry.back()
