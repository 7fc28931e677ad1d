"""A server in memory that takes mail, and the jobs of one way out: everything but the network is real."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from emaild.errors import RemoteError
from emaild.jobs.deliver import WayOut
from emaild.jobs.schedule import Schedule
from emaild.message import Outbound, OutboundState, Receipt
from emaild.settings.way_out import WayOutSection
from emaild.store import Store
from tests.clock import ManualClock
from tests.samples import outbound, receipt


@dataclass
class Server:
    """What it took, and how it behaves."""

    taken: list[Outbound] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)  # codes by address, 250 where there is none
    down: RemoteError | None = None  # what a connection meets
    fault: Exception | None = None  # what our own code does wrong
    meanwhile: Callable[[], object] = lambda: None  # what happens while it takes a mail
    rest: float | None = None
    closed: int = 0


class MemorySink:
    """A `Sink` that leads to a server in memory."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def send(self, mail: Outbound) -> Sequence[Receipt]:
        if self._server.down is not None:
            raise self._server.down
        if self._server.fault is not None:
            raise self._server.fault
        self._server.taken.append(mail)
        self._server.meanwhile()
        return [receipt(address, self._server.answers.get(address, 250)) for address in mail.recipients]

    def rest(self) -> float | None:
        return self._server.rest

    def close(self) -> None:
        self._server.closed += 1


class Sending:
    """The jobs of one way out, with what they work on."""

    def __init__(self, store: Store, clock: ManualClock, *, connections: int = 1, lifetime: float = 86400.0) -> None:
        self.store = store
        self.clock = clock
        self.server = Server()
        self.schedule = Schedule(clock, per_host=8)
        self.section = WayOutSection(
            name="smtp-client",
            server="smtp.example",
            cnx_pool_size=connections,
            retry_first=60.0,
            retry_maximum=3600.0,
            message_lifetime=lifetime,
        )
        self.way = self.another_way()
        self.way.start()

    def another_way(self) -> WayOut:
        """The same way out as another daemon would make it, not started."""
        return WayOut(
            self.section,
            lambda: MemorySink(self.server),
            store=self.store,
            schedule=self.schedule,
            clock=self.clock,
        )

    def queue(self, *recipients: str) -> Outbound:
        """A mail into the outbox."""
        mail = outbound(*recipients)
        self.store.outbox.add(mail, self.clock.now())
        return mail

    def run(self) -> float | None:
        """One run of a slot that must be due; what it asked for."""
        job = self.schedule.take()
        assert job is not None
        wait = job.run()
        self.schedule.done(job, wait)
        return wait

    def state(self, mail: Outbound) -> OutboundState:
        return self.store.outbox.get(mail.id)[0].state

    def passed(self, seconds: float) -> float | None:
        """Let time pass and run a slot once."""
        self.clock.advance(seconds)
        return self.run()
