"""A thread that writes the lines of all others."""

from __future__ import annotations

import atexit
import contextlib
import queue
import threading
from collections.abc import Callable

from emaild.log import events
from emaild.log.forms import Event

MOST = 10_000  # events that may wait, some megabytes; one more is lost, for no work waits for the log
LONGEST_WAIT = 5.0  # seconds that the end of emaild waits for what is still to be written


class LogThread:
    """Hands events on to *write* from a thread of its own, in their order. How many it lost is an event too."""

    def __init__(self, write: Callable[[Event], None]) -> None:
        self._write = write
        self._events: queue.Queue[Event | None] = queue.Queue(MOST)
        self._lock = threading.Lock()
        self._lost = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def put(self, event: Event) -> None:
        """Take an event; after `close` it is written at once."""
        with self._lock:
            if not self._closed:
                try:
                    self._events.put_nowait(event)
                except queue.Full:
                    self._lost += 1
                return
        self._write(event)

    def close(self) -> None:
        """Write what waits and end. It may take LONGEST_WAIT."""
        atexit.unregister(self.close)
        with self._lock:
            self._closed = True
        with contextlib.suppress(queue.Full):
            self._events.put(None, timeout=LONGEST_WAIT)
        if self._thread is not threading.current_thread():
            self._thread.join(LONGEST_WAIT)

    def _run(self) -> None:
        while (event := self._events.get()) is not None:
            with contextlib.suppress(Exception):  # one event that cannot be written must not silence the others
                self._write(event)
            with self._lock:
                lost = self._lost if self._events.qsize() < MOST // 2 else 0
                self._lost -= lost
            if lost:
                events.log_lines_lost(count=lost)
