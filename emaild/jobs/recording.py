"""Writing down what servers answered: one slot does it for all, and the others send on meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from emaild import fault_points
from emaild.clock import Clock
from emaild.fault_points import FaultPoint
from emaild.jobs.leasing import Leases
from emaild.message import OutboundState
from emaild.store.tries import Tried

TOGETHER = 0.003  # seconds that an answer waits at most for those to other slots, to be one commit with them


class Recording:
    """What was answered for the mails of one section. Safe in any number of threads.

    A connection's next mail is not handed over before what was answered for its last one is written down (`settle`), so
    the mails that a server may have and of which that is not written down are never more than one a connection. On a
    full disk they are kept, and written before others are sent.
    """

    def __init__(
        self,
        most: int,
        *,
        leases: Leases,
        clock: Clock,
        goes_on: Callable[[], bool],
        tell: Callable[[Tried, OutboundState, datetime], None],
    ) -> None:
        """*most* is how many connections there are, *goes_on* whether mails are sent after these, so that some may be
        leased; *tell* is called after a commit."""
        self._most = most
        self._leases = leases
        self._clock = clock
        self._goes_on = goes_on
        self._tell = tell
        self._changed = threading.Condition()
        self._under_way: set[str] = set()  # what slots are sending
        self._answered: list[Tried] = []
        self._unsettled: set[str] = set()  # these, and what a slot is writing down
        self._busy = False  # a slot writes

    def begun(self, name: str) -> None:
        """A slot sends the mail of that id."""
        with self._changed:
            self._under_way.add(name)

    def ended(self, name: str) -> None:
        """No slot sends it any more."""
        with self._changed:
            self._end(name)

    def add(self, tried: Tried) -> None:
        """It was sent; `write` is to be called after it."""
        with self._changed:
            self._answered.append(tried)
            self._unsettled.add(tried.leased.mail.id)
            self._end(tried.leased.mail.id)

    def _end(self, name: str) -> None:
        self._under_way.discard(name)
        if self._busy and self._is_enough():
            self._changed.notify_all()

    def _is_enough(self) -> bool:
        return not self._under_way or len(self._answered) >= self._most

    def settle(self, last: str, name: str) -> None:
        """Wait until what was answered for the mail *last* is written down; *name* is what its slot sends now."""
        while True:
            with self._changed:
                if self._busy and last in self._unsettled:
                    self._end(name)  # nothing is answered for it while it waits here
                    # Which ends as a commit does.
                    self._changed.wait_for(lambda: not self._busy or last not in self._unsettled)
                    self._under_way.add(name)
                if last not in self._unsettled:
                    return
            self.write()

    def write(self) -> None:
        """Write down what was answered, others' too; where another slot writes, that one takes these as well."""
        with self._changed:
            if self._busy or not self._answered:
                return
            self._busy = True
        try:
            while tries := self._next():
                self._write(tries)
        except BaseException:  # also a fault in what is told: others must not wait for a slot that writes no more
            with self._changed:
                self._busy = False
                self._changed.notify_all()
            raise

    def _next(self) -> list[Tried]:
        """What is to be one commit. Where there is nothing left somebody else may write from now on."""
        with self._changed:
            if self._answered:
                self._changed.wait_for(self._is_enough, timeout=TOGETHER)
            tries, self._answered = self._answered, []
            self._busy = bool(tries)
            return tries

    def _write(self, tries: list[Tried]) -> None:
        now = self._clock.now()
        try:
            states = self._leases.record(tries, now, more=self._goes_on())
            fault_points.reached(FaultPoint.RECORDED)
        except BaseException:
            with self._changed:
                self._answered = tries + self._answered
            raise
        with self._changed:
            self._unsettled.difference_update(tried.leased.mail.id for tried in tries)
            self._changed.notify_all()
        for tried, state in zip(tries, states, strict=True):
            self._tell(tried, state, now)
