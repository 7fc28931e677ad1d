"""The job that posts interactions to the webhook's receiver.

What is to be posted stands in the store until the receiver took it: it may get an interaction twice, under the same
webhook-id, and never misses one. A thread's interactions come in their order. One that the receiver refuses is tried
again while other threads go on; a receiver that does not work is left alone for a while.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from emaild.clock import Clock
from emaild.errors import Busy, NotFound, Rejected, RemoteError, StoreFailed
from emaild.jobs.health import Health, StoreHealth
from emaild.jobs.publish.answers import Verdict, verdict
from emaild.jobs.publish.receiver import Receiver
from emaild.jobs.publish.signing import body_of, signed
from emaild.jobs.schedule import Schedule
from emaild.jobs.texts import with_texts
from emaild.log import events
from emaild.net.peer import receiver_of
from emaild.net.retry_after import seconds_of
from emaild.retry import Backoff
from emaild.settings.load import Settings
from emaild.settings.network import ProxySection
from emaild.settings.webhook import WebhookSection, key_of
from emaild.settings.wildcards import fits
from emaild.store import Store
from emaild.store.pushes import Push

LOOK_EVERY = 1.0  # seconds between two looks for new interactions
MEND_EVERY = 3600.0
BATCH = 20  # interactions between two looks
STORE_BACKOFF = 5.0


@dataclass(frozen=True)
class WebhookState:
    """How the receiver fares: `failures` in a row, `gone` where it wants nothing more."""

    failures: int
    gone: bool

    @property
    def up(self) -> bool:
        """Whether it works, as far as is known."""
        return not self.failures and not self.gone


class Publish:
    """The job of the `[webhook]` section. `settings` are those of now: texts are read as they say."""

    name = "webhook"
    host = "webhook"

    def __init__(
        self,
        section: WebhookSection,
        proxy: ProxySection | None,
        settings: Callable[[], Settings],
        *,
        store: Store,
        schedule: Schedule,
        clock: Clock,
    ) -> None:
        self._section = section
        self._settings = settings
        self._store = store
        self._schedule = schedule
        self._clock = clock
        self._stopped = threading.Event()
        self._keys = [key_of(secret) for secret in (section.secret, section.old_secret) if secret is not None]
        self._backoff = Backoff(first=section.retry_first, maximum=section.retry_maximum)
        self._health = Health(section.name, self._backoff, events.webhook_failed, events.webhook_recovered)
        self._store_health = StoreHealth("webhook")
        self._peer = receiver_of(section, proxy)
        self._receiver = Receiver(self._peer, section.place[3])
        self._rests_until = 0.0  # on the monotonic clock
        self._gone = False
        self._mend_at = 0.0

    @property
    def state(self) -> WebhookState:
        """For health and metrics; may be asked by any thread."""
        return WebhookState(self._health.failures, self._gone)

    def stop(self) -> None:
        """Post nothing more; what waits stays in the store."""
        self._stopped.set()
        self._schedule.retire(self)

    def run(self) -> float | None:
        """Look for new interactions, and post what is due."""
        if self._stopped.is_set():
            self._receiver.close()
            return None
        try:
            more = self._take()
            more |= self._post_due()
        except StoreFailed as error:
            self._store_health.failed(error)
            return STORE_BACKOFF
        self._store_health.worked()
        return 0.0 if more else LOOK_EVERY

    def _take(self) -> bool:
        """Returns whether there may be more."""
        now, moment = self._clock.now(), self._clock.monotonic()
        if moment >= self._mend_at:
            self._store.pushes.mend(now)
            self._mend_at = moment + MEND_EVERY
        taken = self._store.pushes.take(self._wants, now)
        if taken.began is not None:
            events.webhook_began(section=self._section.name, number=taken.began)
        return taken.more

    def _wants(self, queue: str) -> bool:
        return not self._section.queues or any(fits(wanted, queue) for wanted in self._section.queues)

    def _post_due(self) -> bool:
        """Up to BATCH. Returns whether there may be more."""
        due = [] if self._resting else self._store.pushes.due(self._clock.now(), BATCH)
        for one in due:
            if self._stopped.is_set() or self._resting:
                return False
            self._handle(one)
        if not due:
            self._receiver.close()
        return bool(due)

    @property
    def _resting(self) -> bool:
        return self._gone or self._clock.monotonic() < self._rests_until

    def _handle(self, one: Push) -> None:
        if one.attempts and self._clock.now() - one.at > timedelta(seconds=self._section.lifetime):
            self._store.pushes.done(one, self._clock.now())
            events.webhook_given_up(section=self._section.name, interaction=one.id, attempts=one.attempts)
            return
        try:
            body = self._body(one)
        except NotFound:  # the interaction was removed meanwhile
            self._store.pushes.done(one, self._clock.now())
        except StoreFailed:
            raise
        except Exception:  # noqa: BLE001  (a fault of ours in one mail must not hold up the others)
            events.job_failed(job=f"{self.name} {one.id}")
            self._put_back(one)
        else:
            self._post(one, body)

    def _body(self, one: Push) -> bytes:
        entry = self._store.interactions.get(one.id)
        if self._section.full:
            entry = with_texts(self._store, self._settings(), entry)
        return body_of(entry, full=self._section.full)

    def _post(self, one: Push, body: bytes) -> None:
        try:
            answer = self._receiver.post(signed(one.id, body, self._clock.now(), self._keys), body)
        except RemoteError as error:
            self._pause(one, error)
            return
        match verdict(answer.status):
            case Verdict.TAKEN:
                self._health.worked()
                self._store.pushes.done(one, self._clock.now())
                events.webhook_delivered(section=self._section.name, interaction=one.id, attempt=one.attempts + 1)
            case Verdict.REFUSED:
                self._health.worked()
                wait = self._put_back(one)
                if not one.attempts:
                    events.webhook_refused(
                        section=self._section.name, interaction=one.id, status=answer.status, retry_in=wait
                    )
            case Verdict.GONE:
                self._gone = True
                self._receiver.close()
                events.webhook_gone(section=self._section.name)
            case Verdict.ELSEWHERE:
                reason = f"it answered {answer.status}; redirects are not followed, so url must name the other place"
                self._pause(one, Rejected(str(self._peer), "follow", reason))
            case Verdict.BROKEN:
                wanted = seconds_of(answer.retry_after, self._clock.now(), self._section.retry_maximum)
                self._pause(one, Busy(str(self._peer), "post", f"it answered {answer.status}"), wanted)

    def _pause(self, one: Push, error: RemoteError, wanted: float = 0.0) -> None:
        """Leave the receiver alone. What it failed at comes last then: it may be what breaks the receiver."""
        wait = self._health.failed(error, wanted)
        self._rests_until = self._clock.monotonic() + wait
        self._receiver.close()
        self._put_back(one, wait)

    def _put_back(self, one: Push, least: float = 0.0) -> float:
        """Returns seconds until it is tried again."""
        wait = max(least, self._backoff.delay(one.attempts + 1))
        self._store.pushes.failed(one, self._clock.now() + timedelta(seconds=wait))
        return wait
