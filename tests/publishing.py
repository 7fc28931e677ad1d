"""The job of the webhook with a store, a clock that stands still, and a receiver on loopback."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from emaild.jobs.publish.job import Publish
from emaild.jobs.schedule import Schedule
from emaild.message import Understood
from emaild.settings.network import ProxySection
from emaild.settings.secret import Secret
from emaild.settings.webhook import WebhookSection
from emaild.store import Store
from tests.clock import START, ManualClock
from tests.reading import settings
from tests.samples import mail, taken
from tests.servers.receiver import SECRET

ACCOUNT = "imap:ann@example.com/INBOX"
FIRST, MOST, LIFETIME = 5.0, 900.0, 86400.0


class Publishing:
    """One webhook. `job` is made anew by `restart`."""

    def __init__(
        self, store: Store, clock: ManualClock, url: str, *, proxy: ProxySection | None = None, **given: Any
    ) -> None:
        self.store = store
        self.clock = clock
        self.schedule = Schedule(clock, per_host=1)
        standing: dict[str, Any] = {
            "url": url,
            "secret": Secret(SECRET),
            "allow_private_addresses": True,
            "connect_timeout": 5.0,
            "protocol_timeout": 5.0,
            "retry_first": FIRST,
            "retry_maximum": MOST,
            "lifetime": LIFETIME,
        }
        self.section = WebhookSection(**(standing | given))
        self._proxy = proxy
        self.restart()

    def restart(self) -> None:
        """As a daemon makes it that knows nothing but what the store holds."""
        self.job = Publish(
            self.section, self._proxy, settings, store=self.store, schedule=self.schedule, clock=self.clock
        )
        self.schedule.add(self.job)

    def keep(self, *subjects: str, thread: str = "", queue: str = "inbound") -> list[str]:
        """New interactions, each a thread of its own, or all of that one. Returns their ids."""
        return [keep(self.store, subject, thread=thread, queue=queue) for subject in subjects]

    def run(self) -> float:
        """Turns for as long as the job asks for the next at once; returns the wait that it asks for then."""
        for _ in range(1000):
            wait = self.job.run()
            assert wait is not None
            if wait:
                return wait
        raise AssertionError("it asks for ever")

    def passed(self, seconds: float) -> float:
        """Let time pass, and run."""
        self.clock.advance(seconds)
        return self.run()


def keep(
    store: Store,
    subject: str,
    *,
    thread: str = "",
    queue: str = "inbound",
    text: str = "hello",
    received: datetime = START,
) -> str:
    """One interaction that programs see; returns its id."""
    inbound, entry = taken(subject, mail(subject, text), received=received)
    placed = replace(entry, thread_id=thread or entry.id, queue=queue)
    store.interactions.keep(
        ACCOUNT, [(inbound, Understood(interactions=(placed,), digest=entry.raw_digest))], settled=True
    )
    return entry.id
