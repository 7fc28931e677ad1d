"""Whether a way out works, and for how long it rests where it does not."""

from __future__ import annotations

import threading

from emaild.clock import Clock
from emaild.diagnosis import diagnose_error
from emaild.errors import Busy, RemoteError
from emaild.jobs.health import Health
from emaild.jobs.waiting import ends_session, least_rest
from emaild.log import events
from emaild.message import Delivery
from emaild.retry import Backoff
from emaild.settings.way_out import WayOutSection

WAY_BACKOFF = Backoff(first=5.0, maximum=300.0)
AT_ONCE = 60.0  # seconds; a server that ends connections in two mails within that time is meant to have rest


class Rest:
    """That of one section. Safe in any number of threads."""

    def __init__(self, section: WayOutSection, clock: Clock) -> None:
        self._section = section
        self._clock = clock
        self._lock = threading.Lock()
        self._health = Health(section.name, WAY_BACKOFF, events.way_out_failed, events.way_out_recovered)
        self._until = 0.0  # on the monotonic clock, as all of these
        self._failing_since: float | None = None
        self._failed_at = 0.0  # the last time
        self._early = False  # a person has it tried before its time, which is no step of the backoff
        self._cut_short: tuple[str, float] | None = None  # the last mail that met the end of a session, and when

    @property
    def failing(self) -> bool:
        """Whether it did not work the last time."""
        return self._health.failures > 0

    @property
    def last_error(self) -> str | None:
        """Why it did not work the last time that it did not."""
        return self._health.last_error

    def left(self) -> float:
        """Seconds for which the way is not to be tried."""
        with self._lock:
            return max(0.0, self._until - self._clock.monotonic())

    def failing_for(self) -> float:
        """Seconds since it works no more; 0 where it does."""
        with self._lock:
            return 0.0 if self._failing_since is None else self._clock.monotonic() - self._failing_since

    def wake(self) -> None:
        """It may be tried at once. Where it fails again, it rests for no longer than it did."""
        with self._lock:
            self._early = self._early or self._until > self._clock.monotonic()
            self._until = 0.0

    def failed(self, error: RemoteError) -> tuple[float, str]:
        """Nothing more goes this way for a while. Returns for how many seconds, and the cause."""
        found = diagnose_error(error)
        cause, remedy = (found.cause, found.remedy) if found else ("", "")
        with self._lock:
            now = self._clock.monotonic()
            least, early = least_rest(error, found, self._section), self._early
            wait = self._health.failed(error, least, early=early, cause=cause, remedy=remedy)
            self._failed_at, self._until, self._early = now, now + wait, False
            if self._failing_since is None:
                self._failing_since = now
        return wait, cause

    def worked(self, seconds: float) -> None:
        """A server answered for a mail, after so long. One that was under way when the way failed ends no rest."""
        with self._lock:
            if self._health.failures and self._clock.monotonic() - seconds < self._failed_at:
                return
            self._health.worked()
            self._failing_since, self._early, self._cut_short = None, False, None

    def turned_away(self, name: str, delivery: Delivery, busy: Busy) -> float:
        """A server that is *busy* did not take the mail of that name. Returns for how many seconds the way rests.

        A server that ends the session (421) in the middle of a mail may do so for this mail or its recipient. So that
        mail alone waits, until the next one ends alike; Postfix, too, leaves a server alone for failures to connect
        and to greet, and not for those within a mail.
        """
        if not ends_session(delivery):
            return self.failed(busy)[0]
        with self._lock:
            before, now = self._cut_short, self._clock.monotonic()
            self._cut_short = name, now
            another = before is not None and before[0] != name and now - before[1] < AT_ONCE
            alone = not another and not self._health.failures
        return 0.0 if alone else self.failed(busy)[0]
