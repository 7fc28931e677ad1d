"""A server in memory that takes mail, and the jobs of one way out: everything but the network is real."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emaild.errors import Busy, RemoteError, Unreachable
from emaild.jobs.deliver import WayOut
from emaild.jobs.schedule import Schedule
from emaild.message import Delivery, Outbound, OutboundState
from emaild.settings.way_out import WayOutSection
from emaild.sinks import Confirm
from emaild.store import Store
from tests.clock import ManualClock
from tests.samples import outbound, receipt


@dataclass
class Server:
    """What it took, and how it behaves."""

    taken: list[Outbound] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)  # codes by address, 250 where there is none
    words: dict[str, str] = field(default_factory=dict)  # the words after the codes
    down: RemoteError | None = None  # what a connection meets
    fault: Exception | None = None  # what our own code does wrong
    before: Callable[[], object] = lambda: None  # what happens before it has a mail
    offered: Callable[[Outbound], object] = lambda mail: None  # what happens when it is offered one
    meanwhile: Callable[[], object] = lambda: None  # what happens while it takes a mail
    rest: float | None = None
    closed: int = 0
    room: int | None = None  # how many connections it wants; None: any number
    connections: list[MemorySink] = field(default_factory=list)

    def connect(self, sink: MemorySink) -> None:
        """One connection more, unless it is there."""
        if sink in self.connections:
            return
        if self.room is not None and len(self.connections) >= self.room:
            raise Busy("smtp.example:25", "greet", "421 4.3.2 Too many concurrent connections")
        self.connections.append(sink)


class MemorySink:
    """A `Sink` that leads to a server in memory."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def send(self, mail: Outbound, confirm: Confirm) -> Delivery:
        self._server.before()
        self._server.offered(mail)
        if self._server.down is not None:
            raise self._server.down
        self._server.connect(self)
        if self._server.fault is not None:
            raise self._server.fault
        confirm()
        self._server.taken.append(mail)
        self._server.meanwhile()
        answers, words = self._server.answers, self._server.words
        receipts = (receipt(one, answers.get(one, 250), words.get(one, "")) for one in mail.recipients)
        return Delivery(receipts=tuple(receipts), server="smtp.example:25", tls="TLSv1.3 TLS_AES_256_GCM_SHA384")

    def rest(self) -> float | None:
        return self._server.rest

    def close(self) -> None:
        self._server.closed += 1


class Sending:
    """The jobs of one way out, with what they work on."""

    def __init__(
        self, store: Store, clock: ManualClock, *, connections: int = 1, lifetime: float = 86400.0, **options: Any
    ) -> None:
        self.store = store
        self.clock = clock
        self.server = Server()
        self.schedule = Schedule(clock, per_host=8)
        self.section = WayOutSection(
            name="smtp-client",
            server=options.pop("server", "smtp.example"),
            cnx_pool_size=connections,
            retry_first=60.0,
            retry_maximum=3600.0,
            lifetime_given=lifetime,
            **options,
        )
        self._due = {f"smtp-client#{number}": 0.0 for number in range(connections)}
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

    def queue(self, *recipients: str, interactive: bool = False) -> Outbound:
        """A mail into the outbox."""
        mail = outbound(*recipients, interactive=interactive)
        self.store.outbox.add(mail, self.clock.now())
        return mail

    def run(self) -> float | None:
        """One run of a slot that must be due; what it asked for."""
        job = self.schedule.take()
        assert job is not None
        wait = job.run()
        self.schedule.done(job, wait)
        self._due[job.name] = math.inf if wait is None else self.clock.monotonic() + wait
        return wait

    def settle(self) -> int:
        """Run all slots that are due, until none has anything to do. Returns how many runs that took."""
        runs = 0
        while self.next_due() <= 0:
            self.run()
            runs += 1
        return runs

    def next_due(self) -> float:
        """Seconds until a slot is due."""
        return min(self._due.values()) - self.clock.monotonic()

    def fail_once(self) -> None:
        """A slot that must be due meets a server that is down, and then it is up."""
        self.server.down = Unreachable("smtp.example:25", "connect", "refused")
        self.run()
        self.server.down = None

    def state(self, mail: Outbound) -> OutboundState:
        return self.store.outbox.get(mail.id)[0].state

    def passed(self, seconds: float) -> float | None:
        """Let time pass and run a slot once."""
        self.clock.advance(seconds)
        return self.run()
