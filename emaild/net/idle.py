"""Watching connections that wait for their server: one thread and one selector for all of them.

A connection has one owner. While it is watched that is this thread, which never reads from it: when the server says
something, the time is up or the connection is called back, it is unregistered first, and then its owner-to-be told.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from emaild.clock import Clock

RECALL_SECONDS = 5.0  # the idle thread answers within microseconds; this only bounds a fault of ours


@dataclass(frozen=True)
class _Watched:
    name: str
    connection: socket.socket
    until: float  # on the monotonic clock
    back: Callable[[], None]


class IdleWatch:
    """Holds idle connections by name. All methods may be called from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._knock, self._door = socket.socketpair()
        self._knock.setblocking(False)
        self._door.setblocking(False)
        self._orders: deque[Callable[[], None]] = deque()
        self._watched: dict[str, _Watched] = {}
        self._thread = threading.Thread(target=self._run, name="idle", daemon=True)
        self._stopping = False

    def start(self) -> None:
        """Begin to watch."""
        self._selector.register(self._door, selectors.EVENT_READ)
        self._thread.start()

    def watch(self, name: str, connection: socket.socket, seconds: float, back: Callable[[], None]) -> None:
        """Take over a connection; call *back*, once, when it is to be looked at or after that many seconds.

        *back* is called on this watch's thread and must return at once.
        """
        entry = _Watched(name, connection, self._clock.monotonic() + seconds, back)
        self._order(lambda: self._add(entry))

    def recall(self, name: str) -> None:
        """Give a connection back: when this returns it is not watched, and its *back* will not be called."""
        if self._stopping:
            self._thread.join(RECALL_SECONDS)
            return
        done = threading.Event()

        def forget() -> None:
            self._forget(name)
            done.set()

        self._order(forget)
        done.wait(RECALL_SECONDS)

    def stop(self) -> None:
        """End the thread. Connections still watched are dropped; whoever closes them is their owner."""
        self._stopping = True
        self._order(lambda: None)
        self._thread.join(timeout=5)

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.append(order)
        with contextlib.suppress(BlockingIOError, OSError):
            self._knock.send(b"\0")  # a full pipe means that the thread is awake anyway

    def _run(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(self._wait()):
                if key.fileobj is self._door:
                    with contextlib.suppress(BlockingIOError):
                        self._door.recv(4096)
                else:
                    self._give_back(key.data)
            while self._orders:
                self._orders.popleft()()
            now = self._clock.monotonic()
            for name in [name for name, entry in self._watched.items() if entry.until <= now]:
                self._give_back(name)
        self._selector.close()
        self._knock.close()
        self._door.close()

    def _wait(self) -> float | None:
        """Seconds until the first watched connection's time is up."""
        if not self._watched:
            return None
        first = min(entry.until for entry in self._watched.values())
        return max(0.0, first - self._clock.monotonic())

    def _add(self, entry: _Watched) -> None:
        try:
            self._selector.register(entry.connection, selectors.EVENT_READ, entry.name)
        except (ValueError, KeyError, OSError):  # closed, or registered under another name
            entry.back()
            return
        self._watched[entry.name] = entry

    def _forget(self, name: str) -> _Watched | None:
        entry = self._watched.pop(name, None)
        if entry is not None:
            self._selector.unregister(entry.connection)
        return entry

    def _give_back(self, name: str) -> None:
        entry = self._forget(name)
        if entry is not None:
            entry.back()
