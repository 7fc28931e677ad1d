"""Calls in a thread of their own, so that who waits for them can be called off."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class CalledOff(Exception):
    """Nobody waits for the answer any more."""


class Stop:
    """What calls off, once and for all. *grace*: for how many seconds after it an answer is still waited for."""

    def __init__(self, grace: float = 0.0) -> None:
        self._grace = grace
        self._lock = threading.Lock()
        self._waiting: set[queue.SimpleQueue[Future[object] | None]] = set()
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether it was called off."""
        return self._stopped

    def stop(self) -> None:
        """Call off."""
        with self._lock:
            self._stopped = True
            for waiting in self._waiting:
                waiting.put(None)

    def wait_for(self, call: Callable[[], T]) -> T:
        """What *call* gives, or raises.

        Raises:
            CalledOff: it was called off; the call is left to itself, and ends with the process.
        """
        done: Future[T] = Future()
        ended: queue.SimpleQueue[Future[T] | None] = queue.SimpleQueue()
        with self._lock:
            if self._stopped:
                raise CalledOff
            self._waiting.add(ended)  # type: ignore[arg-type]
        try:
            _start(call, done, lambda: ended.put(done))
            if ended.get() is None and self._is_late(ended):
                raise CalledOff
        finally:
            with self._lock:
                self._waiting.discard(ended)
        return done.result()

    def _is_late(self, ended: queue.SimpleQueue[Future[T] | None]) -> bool:
        try:
            return ended.get(timeout=self._grace) is None
        except queue.Empty:
            return True


def _start(call: Callable[[], T], done: Future[T], tell: Callable[[], None]) -> None:
    def run() -> None:
        try:
            done.set_result(call())
        except BaseException as error:  # noqa: BLE001  (raised in the thread that waits)
            done.set_exception(error)
        tell()

    threading.Thread(target=run, name="token", daemon=True).start()
