"""Sending what is due by one way out.

A way has as many slots as its connection pool: a slot is a job with a connection of its own. The first slot looks for
due mail every second (another process may have put it there) and wakes the others when there is more than one.
A mail is leased, sent, and its receipts recorded; a daemon that dies in between leaves the lease to its successor,
which sends again under the same Message-ID: that is the one case in which a recipient may get a mail twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from emaild import fault_points
from emaild.clock import Clock
from emaild.errors import RemoteError, StoreFailed
from emaild.fault_points import FaultPoint
from emaild.jobs.health import Health, StoreHealth
from emaild.jobs.schedule import Schedule
from emaild.log import events
from emaild.message import Outbound, OutboundState, Receipt, RecipientState
from emaild.retry import Backoff
from emaild.settings.way_out import WayOutSection
from emaild.sinks import Sink
from emaild.store import Store

LOOK_EVERY = 1.0  # seconds between two looks into the outbox
LEASE = 900.0  # seconds; renewed while a mail is being sent, so that it only runs out when its daemon is gone
BATCH = 20  # mails a slot sends before other ways have their turn
WAY_BACKOFF = Backoff(first=5.0, maximum=300.0)
STORE_BACKOFF = 5.0


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
    ) -> None:
        self.section = section
        self.store = store
        self.clock = clock
        self.stopped = threading.Event()
        self._schedule = schedule
        self._lock = threading.Lock()
        self._sending: set[str] = set()
        self._unrecorded: list[tuple[Outbound, datetime, Sequence[Receipt]]] = []
        self._closed_until = 0.0  # on the monotonic clock: the way does not work until then
        self._health = Health(section.name, WAY_BACKOFF, events.way_out_failed, events.way_out_recovered)
        self._backoff = Backoff(first=section.retry_first, maximum=section.retry_maximum)
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

    def renew_leases(self) -> None:
        """Keep what is being sent ours."""
        with self._lock:
            names = sorted(self._sending)
        if names:
            self.store.outbox.renew(names, self.clock.now() + timedelta(seconds=LEASE))

    def expire(self) -> None:
        """Give up mails that waited for longer than message-lifetime."""
        now = self.clock.now()
        before = now - timedelta(seconds=self.section.message_lifetime)
        for entry in self.store.outbox.expire(self.section.name, before, now):
            failed = [one.address for one in entry.recipients if one.state is RecipientState.FAILED]
            events.outbound_expired(
                section=self.section.name, outbound=entry.id, recipients=failed, reason=entry.diagnosis
            )

    def closed_for(self) -> float:
        """Seconds for which the way is not to be tried, because it failed."""
        with self._lock:
            return max(0.0, self._closed_until - self.clock.monotonic())

    @property
    def failing(self) -> bool:
        """Whether it did not work the last time."""
        return self._health.failures > 0

    def try_now(self) -> None:
        """Whatever failed before: the way is tried at once, with all that waits for it."""
        self.store.outbox.hurry(self.section.name, self.clock.now())
        with self._lock:
            self._closed_until = 0.0
        self._schedule.wake(self._slots[0])

    def lease(self) -> tuple[Outbound, datetime] | None:
        """The next mail that is due, ours now."""
        leased = self.store.outbox.lease(self.section.name, self.clock.now(), LEASE)
        if leased is not None:
            with self._lock:
                self._sending.add(leased[0].id)
        return leased

    def failed(self, mail: Outbound, error: RemoteError) -> None:
        """The way did not work: the mail waits, untouched, as do all others of this way."""
        with self._lock:
            wait = self._health.failed(error)
            self._closed_until = self.clock.monotonic() + wait
        retry_at = self.clock.now() + timedelta(seconds=wait)
        self.store.outbox.release(mail.id, f"{error.where}: {error.action}: {error.reason}", retry_at)

    def sent(self, mail: Outbound, created: datetime, receipts: Sequence[Receipt]) -> None:
        """The server answered for each recipient."""
        with self._lock:
            self._health.worked()
            self._unrecorded.append((mail, created, receipts))
        self.record()

    def record(self) -> None:
        """Write down what servers answered. On a full disk it is kept and written before anything else is sent."""
        while True:
            with self._lock:
                if not self._unrecorded:
                    return
                answered = self._unrecorded.pop(0)
            try:
                self._record(*answered)
            except StoreFailed:
                with self._lock:
                    self._unrecorded.insert(0, answered)
                raise

    def _record(self, mail: Outbound, created: datetime, receipts: Sequence[Receipt]) -> None:
        now = self.clock.now()
        wait = self._backoff.delay(mail.attempts + 1)
        deadline = created + timedelta(seconds=self.section.message_lifetime)
        retry_at = now + timedelta(seconds=wait) if now < deadline else None
        state = self.store.outbox.record(mail, receipts, now, retry_at)
        fault_points.reached(FaultPoint.RECORDED)
        self.finished(mail)
        self._tell(mail, receipts, state, wait)

    def finished(self, mail: Outbound) -> None:
        """The lease needs no renewal any more."""
        with self._lock:
            self._sending.discard(mail.id)

    def _tell(self, mail: Outbound, receipts: Sequence[Receipt], state: OutboundState, wait: float) -> None:
        section, attempt = self.section.name, mail.attempts + 1
        by_state = {kind: [one for one in receipts if one.state is kind] for kind in RecipientState}
        if sent := by_state[RecipientState.SENT]:
            events.outbound_sent(
                section=section,
                outbound=mail.id,
                message_id=mail.message_id,
                recipients=len(sent),
                attempt=attempt,
            )
        if failed := by_state[RecipientState.FAILED]:
            events.outbound_failed(
                section=section,
                outbound=mail.id,
                recipients=[one.address for one in failed],
                reply=failed[0].code,
                reason=failed[0].text,
            )
        if not (waiting := by_state[RecipientState.WAITING]):
            return
        first = waiting[0]
        if state is OutboundState.QUEUED:
            events.outbound_deferred(
                section=section,
                outbound=mail.id,
                reply=first.code,
                reason=first.text,
                retry_in=wait,
                attempt=attempt,
            )
        else:
            events.outbound_expired(
                section=section,
                outbound=mail.id,
                recipients=[one.address for one in waiting],
                reason=f"{first.code} {first.text}".strip(),
            )


class Slot:
    """One connection of a way out."""

    def __init__(self, way: WayOut, number: int, sink: Sink) -> None:
        self._way = way
        self._number = number
        self._sink = sink
        self._store_health = StoreHealth(f"send by {way.section.name}")
        self.name = f"{way.section.name}#{number}"
        self.host = way.section.name

    def run(self) -> float | None:
        """Send what is due. The first slot comes back each second, the others when woken or to close."""
        try:
            if self._way.stopped.is_set():
                self._sink.close()
                self._way.record()  # the last chance: whoever sends by this way next does not know what was answered
                return None
            more = self._send_due()
        except StoreFailed as error:
            self._store_health.failed(error)
            return STORE_BACKOFF
        self._store_health.worked()
        if more:
            return 0.0
        rest = self._sink.rest()
        if self._number == 0:
            return max(LOOK_EVERY, self._way.closed_for())
        return rest

    def _send_due(self) -> bool:
        """Up to BATCH mails. Returns whether there may be more."""
        self._way.record()
        for count in range(BATCH):
            if self._way.stopped.is_set() or self._way.closed_for():
                return False
            leased = self._way.lease()
            if leased is None:
                return False
            if count == 1:
                self._way.wake_others()
            fault_points.reached(FaultPoint.LEASED)
            mail, created = leased
            try:
                receipts = self._sink.send(mail)
            except RemoteError as error:
                self._way.finished(mail)
                self._way.failed(mail, error)
                return False
            except BaseException:  # our own fault: the lease runs out, and then it is tried again
                self._way.finished(mail)
                raise
            self._way.sent(mail, created, receipts)
        return True
