"""Sending what is due by one way out.

A way has as many slots as its connection pool: a slot is a job with a connection of its own. The first slot looks for
due mail every second, and at once where somebody says that there is some, and wakes the others when there is more than
one. Mails are leased some at a time; what comes when all are leased waits for the next look, so that many go together.
What several slots were answered at about the same time is one commit, made by one of them while the others go on up to
the end of their next mail's data; it leases the next mails, too. A daemon that dies in between leaves its leases to its
successor, which sends again under the same Message-ID: that is the one case in which a recipient may get a mail twice,
and there are never more of such mails than connections.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from emaild.clock import Clock
from emaild.diagnosis import diagnose_receipt
from emaild.errors import RemoteError, StoreFailed
from emaild.jobs.leasing import Leases
from emaild.jobs.recording import Recording
from emaild.jobs.rest import Rest
from emaild.jobs.returns import Returns
from emaild.jobs.schedule import Schedule
from emaild.jobs.sent import tell
from emaild.jobs.slot import LOOK_EVERY, ONE_TOO_MANY, Slot
from emaild.jobs.waiting import first_trouble, overload, wait_after
from emaild.log import events
from emaild.message import Delivery, OutboundState, Receipt, RecipientState
from emaild.settings.way_out import WayOutSection
from emaild.sinks import Sink
from emaild.store import Store
from emaild.store.leases import Leased
from emaild.store.tries import Tried, Unsent

STEPS = 20  # commits in which mails are given up at once; the rest goes a minute later
MOVED = 200  # mails that go to the fallback in one commit


class WayOut:
    """The jobs of one `[smtp-client]` section."""

    def __init__(
        self,
        section: WayOutSection,
        open_sink: Callable[[], Sink],
        *,
        store: Store,
        schedule: Schedule,
        clock: Clock,
        returns: Returns | None = None,
    ) -> None:
        self.section = section
        self.returns = returns
        self.store = store
        self.clock = clock
        self.leases = Leases(section, store.sending, clock)
        self.rest = Rest(section, clock)
        self.stopped = threading.Event()
        self._schedule = schedule
        self.recording = Recording(
            section.cnx_pool_size,
            leases=self.leases,
            clock=clock,
            goes_on=lambda: not self.stopped.is_set() and not self.rest.left(),
            tell=self._tell,
        )
        self.answered = False  # a server answered for a mail
        self.last_sent: datetime | None = None
        self._slots = [Slot(self, number, open_sink()) for number in range(section.cnx_pool_size)]

    def start(self) -> None:
        """Register the slots."""
        for slot in self._slots:
            self._schedule.add(slot)

    def stop(self) -> None:
        """Send nothing more; a mail under way is finished. What is queued stays in the outbox."""
        self.stopped.set()
        for slot in self._slots:
            self._schedule.retire(slot)

    def wake_others(self) -> None:
        """There is more than one slot can do."""
        for slot in self._slots[1:]:
            self._schedule.wake(slot)

    def look(self) -> None:
        """There may be mail that is due. Where the first slot is sending, one that has nothing to do looks, too."""
        self.leases.look()
        self._schedule.wake(self._slots[0])
        if self._slots[0].runs and (idle := next((slot for slot in self._slots if not slot.runs), None)):
            self._schedule.wake(idle)

    def works_by_another_than(self, slot: Slot) -> bool:
        """Whether a server took a mail by another connection lately: one that wants no more of them is not down."""
        since = self.clock.monotonic() - ONE_TOO_MANY
        return not self.failing and any(one.took_mail_since(since) for one in self._slots if one is not slot)

    @property
    def failing(self) -> bool:
        """Whether it did not work the last time."""
        return self.rest.failing

    # Once a minute

    def try_now(self) -> None:
        """Whatever failed before: the way is tried at once, with all that waits for it."""
        self.store.sending.hurry(self.section.name, self.clock.now())
        self.wake()

    def wake(self) -> None:
        """The way is tried at once, with what is due. Where it fails again, it rests for no longer than it did."""
        self.rest.wake()
        for slot in self._slots:
            slot.wake()
        self.look()

    def expire(self) -> None:
        """Give up mails that waited for longer than message-lifetime."""
        now = self.clock.now()
        before = now - timedelta(seconds=self.section.message_lifetime)
        for _ in range(STEPS):
            notices = self.returns.of_overdue(before, now) if self.returns else None
            given_up = self.store.sending.expire(self.section.name, before, now, notices)
            for entry in given_up:
                failed = [one.address for one in entry.recipients if one.state is RecipientState.FAILED]
                events.outbound_expired(
                    section=self.section.name,
                    outbound=entry.id,
                    recipients=failed,
                    reason=entry.diagnosis,
                    cause=entry.cause,
                )
                if notices and self.returns:
                    self.returns.tell(notices[entry.id, entry.attempts])
            if not given_up:
                return

    # What became of it

    def failed(self, leased: Leased, error: RemoteError, began: datetime, seconds: float) -> None:
        """The way did not work: the mail waits, untouched, as do all others of this way."""
        if self.stopped.is_set():  # nobody waits for a server any more: it goes back with those that were not tried
            self.leases.put_back(leased)
            return
        wait, cause = self.rest.failed(error)
        unsent = Unsent(
            leased=leased,
            at=began,
            seconds=seconds,
            why=f"{error.where}: {error.action}: {error.reason}",
            step=f"{error.where}: {error.action}: ",
            retry_at=self.clock.now() + timedelta(seconds=wait + LOOK_EVERY),  # others go first when the way opens
            cause=cause,
        )
        try:
            self.store.sending.release([unsent])
        except StoreFailed:
            self.leases.put_back(leased)
            raise
        self.leases.forget(leased)
        self.leases.let_go()

    def sent(self, leased: Leased, delivery: Delivery, began: datetime, seconds: float) -> None:
        """The server answered for each recipient."""
        now, busy = self.clock.now(), overload(delivery)
        since = (began - leased.first_answer).total_seconds() if leased.first_answer else None
        wait = wait_after(delivery, leased.answered + 1, self.section, since)
        if busy is None:
            self.rest.worked(seconds)
        else:
            wait = max(wait, self.rest.turned_away(leased.mail.id, delivery, busy))
        deadline = leased.created + timedelta(seconds=self.section.message_lifetime)
        retry_at = min(now + timedelta(seconds=wait), deadline)  # so that it is tried once more before it is given up
        tried = Tried(
            leased=leased,
            at=began,
            seconds=seconds,
            delivery=delivery,
            retry_at=retry_at if now < deadline else None,
            cause=_cause(delivery.receipts, delivery.server),
            worst=_cause((*leased.failed, *delivery.receipts), delivery.server),
            causes={one.address: _cause([one], delivery.server) for one in delivery.receipts},
            notice=self.returns.of_try(leased, delivery, now, last=now >= deadline) if self.returns else None,
        )
        self.answered = True
        if any(one.state is RecipientState.SENT for one in delivery.receipts):
            self.last_sent = now
        self.recording.add(tried)
        self.record()
        if busy and self.rest.left():
            self.leases.let_go()

    def record(self) -> None:
        """Write down what servers answered."""
        self.recording.write()

    def _tell(self, tried: Tried, state: OutboundState, now: datetime) -> None:
        tell(self.section.name, tried, state, now)
        if self.returns:
            self.returns.tell(tried.notice)

    # The fallback

    def move(self) -> None:
        """Where the way has failed for long, its mails go by the fallback."""
        section = self.section
        if not section.fallback or not self.rest.failing or self.rest.failing_for() < section.fallback_after:
            return
        why = f"[{section.name}] failed, so it goes by [{section.fallback}]: {self.rest.last_error}"
        while moved := self.store.sending.reroute(
            section.name, section.fallback, self.clock.now(), why=why, most=MOVED
        ):
            events.outbound_moved(section=section.name, to=section.fallback, outbound=moved)


def _cause(receipts: Sequence[Receipt], server: str) -> str:
    """The key of what is told of them first."""
    trouble = first_trouble(receipts)
    found = diagnose_receipt(trouble, server) if trouble else None
    return found.cause if found else ""
