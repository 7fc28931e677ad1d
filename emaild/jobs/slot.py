"""One connection of a way out, as a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emaild import fault_points
from emaild.errors import Busy, LeaseLost, RemoteError, StoreFailed
from emaild.fault_points import FaultPoint
from emaild.jobs.health import StoreHealth
from emaild.log import events
from emaild.sinks import Sink
from emaild.store.leases import Leased

if TYPE_CHECKING:
    from emaild.jobs.deliver import WayOut

LOOK_EVERY = 1.0  # seconds between two looks into the outbox
BATCH = 20  # mails a slot sends before other ways have their turn
STORE_BACKOFF = 5.0
ONE_TOO_MANY = 60.0  # seconds; a server that works by other connections and wants no more of them is not asked for one


class Slot:
    """One connection of a way out."""

    def __init__(self, way: WayOut, number: int, sink: Sink) -> None:
        self._way = way
        self._number = number
        self._sink = sink
        self._store_health = StoreHealth(f"send by {way.section.name}")
        self._rests_until = 0.0  # on the monotonic clock, as the next
        self._last = ""  # the id of the mail for which it was answered last
        self.runs = False
        self._took_mail: float | None = None  # when, on the connection that it has; None: it has none
        self.name = f"{way.section.name}#{number}"
        self.host = way.section.server.lower() or way.section.name

    def run(self) -> float | None:
        """Send what is due. The first slot comes back each second, the others when woken or to close."""
        self.runs = True
        try:
            return self._run()
        finally:
            self.runs = False

    def _run(self) -> float | None:
        if self._number == 0:
            self._way.leases.look()
        try:
            if self._way.stopped.is_set():
                self._sink.close()
                self._way.record()  # the last chance: whoever sends by this way next does not know what was answered
                self._way.leases.let_go()
                return None
            resting = self._rests_until - self._way.clock.monotonic()
            more = resting <= 0 and self._send_due()
        except StoreFailed as error:
            self._store_health.failed(error)
            return STORE_BACKOFF
        self._store_health.worked()
        if more:
            return 0.0
        rest = self._sink.rest()
        if self._number == 0:
            self._way.move()
            if resting > 0:
                self._way.wake_others()  # for it looks for them
            return max(LOOK_EVERY, self._way.rest.left())
        return rest

    def _send_due(self) -> bool:
        """Up to BATCH mails. Returns whether there may be more."""
        way = self._way
        way.record()
        for count in range(BATCH):
            if way.stopped.is_set() or way.rest.left():
                return False
            leased = way.leases.take()
            if leased is None:
                return False
            if count == 1:
                way.wake_others()
            fault_points.reached(FaultPoint.LEASED)
            way.recording.begun(leased.mail.id)
            try:
                if not self._send(leased):
                    return False
            finally:
                way.recording.ended(leased.mail.id)
        return True

    def _send(self, leased: Leased) -> bool:
        """Whether the way works."""
        way, clock = self._way, self._way.clock
        began, start = clock.now(), clock.monotonic()
        try:
            delivery = self._sink.send(leased.mail, lambda: self._confirm(leased))
        except RemoteError as error:
            self._took_mail = None
            if isinstance(error, Busy) and way.works_by_another_than(self):
                self._rest_alone(error)
                way.leases.put_back(leased)
            else:
                way.failed(leased, error, began, clock.monotonic() - start)
            return False
        except LeaseLost:
            way.leases.forget(leased)
            way.leases.look()  # for it may be due again
            events.outbound_lease_lost(section=way.section.name, outbound=leased.mail.id)
            return True
        except StoreFailed:
            way.leases.put_back(leased)
            raise
        except BaseException:  # our own fault: the lease runs out, and then it is tried again
            way.leases.forget(leased)
            raise
        self._took_mail = clock.monotonic()
        self._last = leased.mail.id
        way.sent(leased, delivery, began, clock.monotonic() - start)
        return True

    def _confirm(self, leased: Leased) -> None:
        """It may be handed over: what was answered for the last one is on the disk, and it is still ours."""
        self._way.recording.settle(self._last, leased.mail.id)
        self._way.leases.confirm(leased)

    def _rest_alone(self, error: Busy) -> None:
        """The server has as many connections of ours as it wants."""
        wait = max(ONE_TOO_MANY, error.retry_after)
        self._rests_until = self._way.clock.monotonic() + wait
        events.way_out_connection_refused(section=self._way.section.name, reason=error.reason, again_in=wait)

    def wake(self) -> None:
        """It may be tried at once."""
        self._rests_until = 0.0

    def took_mail_since(self, moment: float) -> bool:
        """Whether its connection of now was good for a mail since that time of the monotonic clock."""
        took = self._took_mail
        return took is not None and took >= moment
