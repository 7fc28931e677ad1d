"""Sending what is due by one way out.

A way has as many slots as its connection pool: a slot is a job with a connection of its own. The first slot looks for
due mail every second (another process may have put it there) and wakes the others when there is more than one.
Mails are leased some at a time; each is sent and its receipts recorded before its slot ends the data of the next. What
several slots were answered at about the same time is one commit. A daemon that dies in between leaves its leases to its
successor, which sends again under the same Message-ID: that is the one case in which a recipient may get a mail twice,
and there are never more of such mails than connections.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from emaild import fault_points
from emaild.clock import Clock
from emaild.diagnosis import diagnose_error, diagnose_receipt
from emaild.errors import RemoteError, StoreFailed
from emaild.fault_points import FaultPoint
from emaild.jobs.health import Health
from emaild.jobs.leasing import Leases
from emaild.jobs.returns import Returns
from emaild.jobs.schedule import Schedule
from emaild.jobs.sent import tell
from emaild.jobs.slot import Slot
from emaild.jobs.waiting import first_trouble, least_rest, overload, wait_after
from emaild.log import events
from emaild.message import Delivery, RecipientState
from emaild.retry import Backoff
from emaild.settings.way_out import WayOutSection
from emaild.sinks import Sink
from emaild.store import Store
from emaild.store.leases import Leased
from emaild.store.tries import Tried, Unsent

TOGETHER = 0.003  # seconds that a record waits at most for the answers to other slots, to be one commit with them
STEPS = 20  # commits in which mails are given up at once; the rest goes a minute later
MOVED = 200  # mails that go to the fallback in one commit
WAY_BACKOFF = Backoff(first=5.0, maximum=300.0)


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
        self.stopped = threading.Event()
        self._schedule = schedule
        self._lock = threading.Lock()
        self._recording = threading.Lock()
        self._unrecorded: list[Tried] = []
        self._under_way: set[str] = set()  # what slots are sending
        self._answered = threading.Condition(self._lock)
        self._closed_until = 0.0  # on the monotonic clock: the way does not work until then
        self._failing_since: float | None = None
        self.answered = False  # a server answered for a mail
        self.last_sent: datetime | None = None
        self._health = Health(section.name, WAY_BACKOFF, events.way_out_failed, events.way_out_recovered)
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

    @property
    def failing(self) -> bool:
        """Whether it did not work the last time."""
        return self._health.failures > 0

    @property
    def last_error(self) -> str | None:
        """Why it did not work the last time that it did not."""
        return self._health.last_error

    def closed_for(self) -> float:
        """Seconds for which the way is not to be tried, because it failed."""
        with self._lock:
            return max(0.0, self._closed_until - self.clock.monotonic())

    # Once a minute

    def try_now(self) -> None:
        """Whatever failed before: the way is tried at once, with all that waits for it."""
        self.store.sending.hurry(self.section.name, self.clock.now())
        with self._lock:
            self._closed_until = 0.0
        self._schedule.wake(self._slots[0])

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

    def begun(self, leased: Leased) -> None:
        """A slot sends it."""
        with self._lock:
            self._under_way.add(leased.mail.id)

    def ended(self, leased: Leased) -> None:
        """No slot sends it any more."""
        with self._lock:
            self._under_way.discard(leased.mail.id)
            if not self._under_way:
                self._answered.notify_all()

    # What became of it

    def failed(self, leased: Leased, error: RemoteError, began: datetime, seconds: float) -> None:
        """The way did not work: the mail waits, untouched, as do all others of this way."""
        if self.stopped.is_set():  # nobody waits for a server any more: it goes back with those that were not tried
            self.leases.put_back(leased)
            return
        wait, cause = self._rest(error)
        unsent = Unsent(
            leased=leased,
            at=began,
            seconds=seconds,
            why=f"{error.where}: {error.action}: {error.reason}",
            step=f"{error.where}: {error.action}: ",
            retry_at=self.clock.now() + timedelta(seconds=wait),
            cause=cause,
        )
        try:
            self.store.sending.release([unsent])
        except StoreFailed:
            self.leases.put_back(leased)
            raise
        self.leases.forget(leased)
        self.leases.let_go()

    def _rest(self, error: RemoteError) -> tuple[float, str]:
        """Nothing more goes this way for a while. Returns for how many seconds, and the cause."""
        found = diagnose_error(error)
        cause, remedy = (found.cause, found.remedy) if found else ("", "")
        with self._lock:
            wait = self._health.failed(error, least_rest(error, found, self.section), cause=cause, remedy=remedy)
            self._closed_until = self.clock.monotonic() + wait
            if self._failing_since is None:
                self._failing_since = self.clock.monotonic()
        return wait, cause

    def _worked(self) -> None:
        with self._lock:
            self._health.worked()
            self._failing_since = None

    def sent(self, leased: Leased, delivery: Delivery, began: datetime, seconds: float) -> None:
        """The server answered for each recipient."""
        now, trouble, busy = self.clock.now(), first_trouble(delivery.receipts), overload(delivery)
        found = diagnose_receipt(trouble, delivery.server) if trouble else None
        wait = wait_after(delivery, leased.mail.attempts + 1, self.section)
        if busy:
            wait = max(wait, self._rest(busy)[0])
        else:
            self._worked()
        deadline = leased.created + timedelta(seconds=self.section.message_lifetime)
        retry_at = min(now + timedelta(seconds=wait), deadline)  # so that it is tried once more before it is given up
        tried = Tried(
            leased=leased,
            at=began,
            seconds=seconds,
            delivery=delivery,
            retry_at=retry_at if now < deadline else None,
            cause=found.cause if found else "",
            notice=self.returns.of_try(leased, delivery, now, last=now >= deadline) if self.returns else None,
        )
        with self._lock:
            self.answered = True
            if any(one.state is RecipientState.SENT for one in delivery.receipts):
                self.last_sent = now
            self._unrecorded.append(tried)
        self.ended(leased)
        self.record()
        if busy:
            self.leases.let_go()

    def record(self) -> None:
        """Write down what servers answered, others' answers too.

        On a full disk it is kept, and written before anything else is sent.
        """
        with self._recording:
            with self._lock:
                if self._unrecorded:
                    self._answered.wait_for(lambda: not self._under_way, timeout=TOGETHER)
                tries, self._unrecorded = self._unrecorded, []
            if not tries:
                return
            now = self.clock.now()
            try:
                states = self.store.sending.record(tries, now)
            except BaseException:
                with self._lock:
                    self._unrecorded = tries + self._unrecorded
                raise
        fault_points.reached(FaultPoint.RECORDED)
        for tried, state in zip(tries, states, strict=True):
            self.leases.forget(tried.leased)
            tell(self.section.name, tried, state, now)
            if self.returns:
                self.returns.tell(tried.notice)

    # The fallback

    def move(self) -> None:
        """Where the way has failed for long, its mails go by the fallback."""
        section = self.section
        with self._lock:
            since = self._failing_since
        if not section.fallback or since is None or self.clock.monotonic() - since < section.fallback_after:
            return
        why = f"[{section.name}] failed, so it goes by [{section.fallback}]: {self._health.last_error}"
        while moved := self.store.sending.reroute(
            section.name, section.fallback, self.clock.now(), why=why, most=MOVED
        ):
            events.outbound_moved(section=section.name, to=section.fallback, outbound=moved)
