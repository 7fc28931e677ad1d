"""Who wants a mailbox to be looked into now, and what they are told when that is done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fetched:
    """What one look came to: how many mails were taken, and how many not, for something that is wrong.

    `left` counts the latter, also one that was gone from the server when it was to be fetched, but none that was
    deleted for its size. `error` is why it ended early, empty where it did not; `temporary`: that may pass by itself.
    """

    taken: int = 0
    left: int = 0
    error: str = ""
    temporary: bool = True


Told = Callable[[Fetched], None]


def nobody(found: Fetched) -> None:
    """Told of it."""


class Asked:
    """Those who asked, of one mailbox. A look lasts until there is no more to be taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: list[Told] = []
        self._now: list[Told] = []
        self._taken: set[str] = set()
        self._left: set[str] = set()
        self._closed: Fetched | None = None

    def ask(self, told: Told) -> None:
        """*told* is called, in any thread, when a look has ended that began after this. Safe for any thread."""
        with self._lock:
            closed = self._closed
            if closed is None:
                self._new.append(told)
        if closed is not None:
            told(closed)

    def begin(self) -> bool:
        """A turn begins. Returns whether anybody asked for it, or for the look that it goes on with."""
        with self._lock:
            self._now += self._new
            self._new.clear()
        return bool(self._now)

    def count(self, taken: Iterable[str], left: Iterable[str]) -> None:
        """Keys of a turn. What is left in one and taken in another of the same look counts as taken."""
        self._taken.update(taken)
        self._left.update(left)

    def end(self, error: str = "", *, temporary: bool = True) -> None:
        """The look has ended."""
        found = Fetched(len(self._taken), len(self._left - self._taken), error, temporary)
        now, self._now = self._now, []
        self._taken.clear()
        self._left.clear()
        for told in now:
            told(found)

    def close(self, error: str) -> None:
        """No look will begin any more: who has asked, and who asks from now on, is told that *error*."""
        with self._lock:
            self._closed = Fetched(error=error)
        self.begin()
        self.end(error)
