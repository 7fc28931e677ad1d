"""Whether a remote side works: failures in a row, what is said of them, and how long to wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from emaild.errors import RemoteError, StoreFailed
from emaild.log import events
from emaild.retry import Backoff


class Recovered(Protocol):
    """How the end of failures is told."""

    def __call__(self, *, section: str, failures: int) -> None: ...


class Health:
    """Failures in a row of one section. Each kind of failure is told once, and its end.

    *failed* is told the section, action, reason, temporary and retry_in, and what `failed` is given beside.
    """

    def __init__(self, section: str, backoff: Backoff, failed: Callable[..., None], recovered: Recovered) -> None:
        self._section = section
        self._backoff = backoff
        self._tell_failed: Callable[..., None] = failed
        self._tell_recovered: Callable[..., None] = recovered
        self._kind: tuple[type[RemoteError], str] | None = None
        self.failures = 0
        self.last_error: str | None = None

    def failed(self, error: RemoteError, least: float = 0.0, *, early: bool = False, **beside: str) -> float:
        """It failed once more; *beside* is told of it, too. Returns seconds to wait: *least* or more, or as asked.

        *early*: it was tried before its time, so that it makes the waits no longer.
        """
        self.failures += not (early and self.failures)
        wait = max(least, error.retry_after, self._backoff.delay(self.failures))
        self.last_error = f"{error.action}: {error.reason}"
        kind = (type(error), error.action)  # not the reason: servers put session numbers into it
        if kind != self._kind:
            self._kind = kind
            self._tell_failed(
                section=self._section,
                action=error.action,
                reason=error.reason,
                temporary=error.temporary,
                retry_in=wait,
                **beside,
            )
        return wait

    def worked(self) -> None:
        """It worked."""
        if self.failures:
            self._tell_recovered(section=self._section, failures=self.failures)
        self._kind = None
        self.failures = 0


class StoreHealth:
    """Whether the store works for one job. A failure is told once, until it has worked again."""

    def __init__(self, action: str) -> None:
        self._action = action
        self._told = False

    def failed(self, error: StoreFailed) -> None:
        """It failed."""
        if not self._told:
            self._told = True
            events.store_failed(action=self._action, reason=str(error))

    def worked(self) -> None:
        """It worked."""
        self._told = False
