"""What health and metrics look at, of a daemon that a test puts together."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from emaild.api.vitals import Pulse, Vitals
from emaild.jobs.deliver import WayOut
from emaild.jobs.publish.job import WebhookState
from emaild.net.oauth.ending import Ending
from emaild.store import Store
from tests.clock import ManualClock


@dataclass
class Patient:
    """A daemon that has started and is well."""

    store: Store
    clock: ManualClock
    ways_out: list[WayOut] = field(default_factory=list)
    webhook: WebhookState | None = None
    endings: list[Ending] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pulse = Pulse(self.clock)
        self.pulse.workers = [threading.main_thread()]
        self.pulse.started = True
        self.vitals = Vitals(
            store=self.store,
            clock=self.clock,
            pulse=self.pulse,
            ways_out=lambda: self.ways_out,
            webhook=lambda: self.webhook,
            endings=lambda: self.endings,
        )
