"""The mails that a way out has leased: some ready to be sent, some with a slot that sends them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from emaild.clock import Clock
from emaild.errors import LeaseLost
from emaild.jobs.ration import MINUTE, Ration
from emaild.log import events
from emaild.message import OutboundState
from emaild.settings.way_out import WayOutSection
from emaild.store.leases import Leased, is_all
from emaild.store.sending import Sending
from emaild.store.tries import Tried

LEASE = 900.0  # seconds; renewed while a mail is being sent, so that it only runs out when its daemon is gone
LONGEST_ANSWER = LEASE / 2  # what must be left of a lease when a mail is handed over, for the answer to come within it
LEASED = 4  # mails a connection that are leased at once; those that somebody waits for come after them
HELD_BACK = 500  # mails over the limit that are put off in one commit
MOST_DEFERRALS = 10  # then a mail over the limit is sent in any case (Dynamics 365, "Email throttling")


class Leases:
    """Those of one section. Safe in any number of threads."""

    def __init__(self, section: WayOutSection, sending: Sending, clock: Clock) -> None:
        self.held_back_until: datetime | None = None  # the limit a minute is reached until then
        self._section = section
        self._sending = sending
        self._clock = clock
        self._lock = threading.Lock()
        self._leasing = threading.Lock()
        self._ready: deque[Leased] = deque()
        self._held: dict[str, tuple[Leased, datetime]] = {}  # all that is leased, and until when it is
        self._ration: Ration | None = None
        self._more = True  # may be due: not once all was leased, until somebody says that more came

    def look(self) -> None:
        """There may be mail that is due."""
        self._more = True

    def renew(self) -> None:
        """Keep what is being sent ours."""
        until = self._end()
        with self._lock:
            held = [leased for leased, _ in self._held.values()]
        if held:
            kept = self._sending.renew(held, until)
            with self._lock:
                for one in held:
                    if self._holds(one) and one.mail.id in kept:
                        self._held[one.mail.id] = one, until
                    elif self._holds(one):
                        del self._held[one.mail.id]  # so that its slot learns it when it asks

    def _end(self) -> datetime:
        return self._clock.now() + timedelta(seconds=LEASE)

    def take(self) -> Leased | None:
        """A mail that is due, ours now.

        Once all was leased the store is not asked again before `look`: a lease of its own for each mail that comes
        would cost more than to send it, and keep waiting who puts mails in.
        """
        if found := self._next():
            return found
        with self._leasing:  # not _lock: that one is never held while the store is waited for
            if found := self._next():  # another slot leased meanwhile
                return found
            if self._more:
                self._lease()
            return self._next()

    def _next(self) -> Leased | None:
        with self._lock:
            return self._ready.popleft() if self._ready else None

    def _lease(self) -> None:
        now, monotonic, until = self._clock.now(), self._clock.monotonic(), self._end()
        section, sending = self._section, self._sending
        ration = self._rationed(now, monotonic)
        left = ration.left(monotonic)
        past = None if section.message_limit_strict else MOST_DEFERRALS
        most = LEASED * section.cnx_pool_size
        self._more = False
        leased = sending.lease(section.name, now, until, most=most, ration=left, past=past)
        ration.take(len(leased), monotonic)
        self._got(leased, until, most)
        if left is not None and left - len(leased) <= 0:
            wait = ration.whole_in(monotonic)
            why = f"the limit of {section.message_limit} mails a minute is reached"
            later = now + timedelta(seconds=wait)
            held = sending.defer(section.name, now, later, why=why, past=past, most=HELD_BACK)
            if held:
                self.held_back_until = later
                events.outbound_held_back(section=section.name, mails=held, limit=section.message_limit, wait=wait)

    def _got(self, leased: Sequence[Leased], until: datetime, most: int) -> None:
        if not is_all(leased, most):
            self._more = True
        with self._lock:
            self._held.update((one.mail.id, (one, until)) for one in leased)
            self._ready.extend(leased)

    def record(self, tries: Sequence[Tried], now: datetime, *, more: bool) -> list[OutboundState]:
        """What became of tries, in one commit. Returns the state that each mail has now.

        Where *more* are to be sent and hardly any is left here, that commit leases the next ones, too.
        """
        section = self._section
        enough = not self._more or len(self._ready) >= section.cnx_pool_size
        if enough or not more or section.message_limit:
            states = self._sending.record(tries, now)
        else:
            with self._leasing:  # who finds nothing left waits for these
                until, most = self._end(), LEASED * section.cnx_pool_size
                self._more = False
                states, leased = self._sending.record_and_lease(tries, section.name, now, until, most=most)
                self._got(leased, until, most)
        for tried in tries:
            self.forget(tried.leased)
        return states

    def _rationed(self, now: datetime, monotonic: float) -> Ration:
        if self._ration is None:
            limit = self._section.message_limit
            since = now - timedelta(seconds=MINUTE)
            already = self._sending.tries_since(self._section.name, since, limit) if limit else []
            self._ration = Ration(limit, [monotonic - max(0.0, (now - at).total_seconds()) for at in already])
        return self._ration

    def confirm(self, leased: Leased) -> None:
        """Whether a mail is still ours, for as long as the server may take to answer.

        Raises:
            LeaseLost: it is not.
        """
        with self._lock:
            if not self._holds(leased):
                raise LeaseLost(f"the lease of the mail {leased.mail.id} could not be renewed")
            _, until = self._held[leased.mail.id]
        if (until - self._clock.now()).total_seconds() < LONGEST_ANSWER:
            renewed = self._end()
            self._sending.keep(leased, renewed)
            with self._lock:
                self._held[leased.mail.id] = leased, renewed

    def _holds(self, leased: Leased) -> bool:
        """Whether that lease is ours, and not a later one of the same mail; to be asked with the lock."""
        return self._held.get(leased.mail.id, (None,))[0] is leased

    def forget(self, leased: Leased) -> None:
        """The lease needs no renewal any more."""
        with self._lock:
            if self._holds(leased):
                del self._held[leased.mail.id]

    def put_back(self, leased: Leased) -> None:
        """It is still ours, and not sent."""
        with self._lock:
            self._ready.appendleft(leased)

    def let_go(self) -> None:
        """Give back what was leased and not tried."""
        with self._leasing:
            with self._lock:
                waiting = list(self._ready)
                self._ready.clear()
            if not waiting:
                return
            try:
                self._sending.give_back(waiting, self._clock.now())
            except BaseException:
                with self._lock:
                    self._ready.extendleft(reversed(waiting))
                raise
            if self._ration is not None:
                self._ration.give_back(len(waiting))
        for one in waiting:
            self.forget(one)
