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
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from emaild import fault_points
from emaild.clock import Clock
from emaild.diagnosis import diagnose_error, diagnose_receipt
from emaild.errors import LeaseLost, RemoteError, StoreFailed
from emaild.fault_points import FaultPoint
from emaild.jobs.health import Health, StoreHealth
from emaild.jobs.ration import MINUTE, Ration
from emaild.jobs.returns import Returns
from emaild.jobs.schedule import Schedule
from emaild.jobs.sent import tell
from emaild.jobs.waiting import first_trouble, least_rest, overload, wait_after
from emaild.log import events
from emaild.message import Delivery, RecipientState
from emaild.retry import Backoff
from emaild.settings.way_out import WayOutSection
from emaild.sinks import Sink
from emaild.store import Store
from emaild.store.leases import Leased
from emaild.store.tries import Tried, Unsent

LOOK_EVERY = 1.0  # seconds between two looks into the outbox
LEASE = 900.0  # seconds; renewed while a mail is being sent, so that it only runs out when its daemon is gone
LONGEST_ANSWER = (
    LEASE / 2
)  # what must be left of a lease when a mail is handed over, so that the answer comes within it
TOGETHER = 0.003  # seconds that a record waits at most for the answers to other slots, to be one commit with them
LEASED = 4  # mails a connection that are leased at once; those that somebody waits for come after them
BATCH = 20  # mails a slot sends before other ways have their turn
HELD_BACK = 500  # mails over the limit that are put off in one commit
MOST_DEFERRALS = 10  # then a mail over the limit is sent in any case (Dynamics 365, "Email throttling")
STEPS = 20  # commits in which mails are given up at once; the rest goes a minute later
MOVED = 200  # mails that go to the fallback in one commit
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
        returns: Returns | None = None,
    ) -> None:
        self.section = section
        self.returns = returns
        self.store = store
        self.clock = clock
        self.stopped = threading.Event()
        self._schedule = schedule
        self._lock = threading.Lock()
        self._leasing = threading.Lock()
        self._recording = threading.Lock()
        self._ready: deque[Leased] = deque()
        self._held: dict[str, tuple[Leased, datetime]] = {}  # all that is leased, and until when it is
        self._unrecorded: list[Tried] = []
        self._under_way: set[str] = set()  # what slots are sending
        self._answered = threading.Condition(self._lock)
        self._closed_until = 0.0  # on the monotonic clock: the way does not work until then
        self._failing_since: float | None = None
        self.answered = False  # a server answered for a mail
        self.last_sent: datetime | None = None
        self.held_back_until: datetime | None = None  # the limit a minute is reached until then
        self._health = Health(section.name, WAY_BACKOFF, events.way_out_failed, events.way_out_recovered)
        self._ration: Ration | None = None
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

    def renew_leases(self) -> None:
        """Keep what is being sent ours."""
        until = self._lease_end()
        with self._lock:
            held = [leased for leased, _ in self._held.values()]
        if held:
            kept = self.store.sending.renew(held, until)
            with self._lock:
                for one in held:
                    if self._holds(one) and one.mail.id in kept:
                        self._held[one.mail.id] = one, until
                    elif self._holds(one):
                        del self._held[one.mail.id]  # so that its slot learns it when it asks

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

    # Leases

    def _lease_end(self) -> datetime:
        return self.clock.now() + timedelta(seconds=LEASE)

    def next_mail(self) -> Leased | None:
        """A mail that is due, ours now."""
        with self._leasing:  # not _lock: that one is never held while the store is waited for
            if not self._ready:
                self._lease()
            return self._ready.popleft() if self._ready else None

    def _lease(self) -> None:
        now, monotonic, until = self.clock.now(), self.clock.monotonic(), self._lease_end()
        section, sending = self.section, self.store.sending
        ration = self._rationed(now, monotonic)
        left = ration.left(monotonic)
        past = None if section.message_limit_strict else MOST_DEFERRALS
        most = LEASED * section.cnx_pool_size
        leased = sending.lease(section.name, now, until, most=most, ration=left, past=past)
        ration.take(len(leased), monotonic)
        with self._lock:
            self._held.update((one.mail.id, (one, until)) for one in leased)
        self._ready.extend(leased)
        if left is not None and left - len(leased) <= 0:
            wait = ration.whole_in(monotonic)
            why = f"the limit of {section.message_limit} mails a minute is reached"
            later = now + timedelta(seconds=wait)
            held = sending.defer(section.name, now, later, why=why, past=past, most=HELD_BACK)
            if held:
                self.held_back_until = later
                events.outbound_held_back(section=section.name, mails=held, limit=section.message_limit, wait=wait)

    def _rationed(self, now: datetime, monotonic: float) -> Ration:
        if self._ration is None:
            limit = self.section.message_limit
            since = now - timedelta(seconds=MINUTE)
            already = self.store.sending.tries_since(self.section.name, since) if limit else 0
            self._ration = Ration(limit, already, monotonic)
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
        if (until - self.clock.now()).total_seconds() < LONGEST_ANSWER:
            renewed = self._lease_end()
            self.store.sending.keep(leased, renewed)
            with self._lock:
                self._held[leased.mail.id] = leased, renewed

    def _holds(self, leased: Leased) -> bool:
        """Whether that lease is ours, and not a later one of the same mail; to be asked with the lock."""
        return self._held.get(leased.mail.id, (None,))[0] is leased

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

    def forget(self, leased: Leased) -> None:
        """The lease needs no renewal any more."""
        with self._lock:
            if self._holds(leased):
                del self._held[leased.mail.id]

    def put_back(self, leased: Leased) -> None:
        """It is still ours, and not sent."""
        with self._leasing:
            self._ready.appendleft(leased)

    def let_go(self) -> None:
        """Give back what was leased and not tried."""
        with self._leasing:
            waiting = list(self._ready)
            if waiting:
                self.store.sending.give_back(waiting, self.clock.now())
                self._ready.clear()
                if self._ration is not None:
                    self._ration.give_back(len(waiting))
        for one in waiting:
            self.forget(one)

    # What became of it

    def failed(self, leased: Leased, error: RemoteError, began: datetime, seconds: float) -> None:
        """The way did not work: the mail waits, untouched, as do all others of this way."""
        if self.stopped.is_set():  # nobody waits for a server any more: it goes back with those that were not tried
            self.put_back(leased)
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
            self.put_back(leased)
            raise
        self.forget(leased)
        self.let_go()

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
            self.let_go()

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
            self.forget(tried.leased)
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


class Slot:
    """One connection of a way out."""

    def __init__(self, way: WayOut, number: int, sink: Sink) -> None:
        self._way = way
        self._number = number
        self._sink = sink
        self._store_health = StoreHealth(f"send by {way.section.name}")
        self.name = f"{way.section.name}#{number}"
        self.host = way.section.server.lower() or way.section.name

    def run(self) -> float | None:
        """Send what is due. The first slot comes back each second, the others when woken or to close."""
        try:
            if self._way.stopped.is_set():
                self._sink.close()
                self._way.record()  # the last chance: whoever sends by this way next does not know what was answered
                self._way.let_go()
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
            self._way.move()
            return max(LOOK_EVERY, self._way.closed_for())
        return rest

    def _send_due(self) -> bool:
        """Up to BATCH mails. Returns whether there may be more."""
        way = self._way
        way.record()
        for count in range(BATCH):
            if way.stopped.is_set() or way.closed_for():
                return False
            leased = way.next_mail()
            if leased is None:
                return False
            if count == 1:
                way.wake_others()
            fault_points.reached(FaultPoint.LEASED)
            way.begun(leased)
            try:
                if not self._send(leased):
                    return False
            finally:
                way.ended(leased)
        return True

    def _send(self, leased: Leased) -> bool:
        """Whether the way works."""
        way, clock = self._way, self._way.clock
        began, start = clock.now(), clock.monotonic()
        try:
            delivery = self._sink.send(leased.mail, lambda: way.confirm(leased))
        except RemoteError as error:
            way.failed(leased, error, began, clock.monotonic() - start)
            return False
        except LeaseLost:
            way.forget(leased)
            events.outbound_lease_lost(section=way.section.name, outbound=leased.mail.id)
            return True
        except StoreFailed:
            way.put_back(leased)
            raise
        except BaseException:  # our own fault: the lease runs out, and then it is tried again
            way.forget(leased)
            raise
        way.sent(leased, delivery, began, clock.monotonic() - start)
        return True
