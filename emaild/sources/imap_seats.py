"""How many IMAP connections all mailboxes of one account have together.

Servers count them: Google takes 15 of an account, with those of the person's own mail programs, Dovecot 10 unless it
is told otherwise. Sections that read folders of one account share connections-per-account. Not all of them are kept
between two turns: the rest goes round among the sections that have none.
"""

from __future__ import annotations

import threading
import weakref

GOING_ROUND = 5  # of so many connections one is not kept


class Seats:
    """Those of one account. Safe for any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = 0
        self._kept = 0

    def take(self, most: int, patience: float) -> bool:
        """Take one of so many, within so many seconds; whether there was one."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._taken < most, patience):
                return False
            self._taken += 1
            return True

    def keep(self, most: int) -> bool:
        """Whether the one that was taken of so many may be kept between two turns."""
        with self._changed:
            self._kept += (may := self._kept < most - max(1, most // GOING_ROUND))
            return may

    def give_back(self, *, kept: bool) -> None:
        """It is free again; *kept*: it was one of those that may be kept."""
        with self._changed:
            self._taken -= 1
            self._kept -= kept
            self._changed.notify()


class Seat:
    """That of one mailbox, which needs none, or one, at a time; all have *most*, None: as many as they like."""

    def __init__(self, host: str, user: str, most: int | None) -> None:
        self._seats = _seats_of(host, user)
        self._most = most
        self._taken = False
        self._kept = False

    def take(self, patience: float) -> bool:
        """Have one, within so many seconds; whether there was one."""
        if self._most is None:
            return True
        self._taken = self._taken or self._seats.take(self._most, patience)
        return self._taken

    def keeps(self) -> bool:
        """Whether the connection may outlast its turn."""
        if self._most is None:
            return True
        self._kept = self._kept or (self._taken and self._seats.keep(self._most))
        return self._kept

    def leave(self) -> None:
        """The connection is closed."""
        taken, kept, self._taken, self._kept = self._taken, self._kept, False, False
        if taken:
            self._seats.give_back(kept=kept)


_all: weakref.WeakValueDictionary[tuple[str, str], Seats] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def _seats_of(host: str, user: str) -> Seats:
    """The same for all mailboxes of an account, as long as one of them is there."""
    with _lock:
        return _all.setdefault((host.lower(), user.lower()), Seats())
