"""The states of all mailboxes in memory, written to the store now and then for `emaild mailboxes`."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from typing import Any

from emaild.errors import StoreFailed
from emaild.store.mailboxes import Mailboxes, MailboxStatus

EVERY = 1.0  # seconds between two writings


class StatusBoard:
    """What is known of each mailbox; safe for any thread. As a job it writes itself down each second."""

    name = "status"
    host = "store"

    def __init__(self, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes
        self._lock = threading.Lock()
        self._states: dict[str, MailboxStatus] = dict(mailboxes.all())
        self._changed: set[str] = set()
        self._configured: frozenset[str] | None = None  # None: that was not told yet
        self._dropped = False  # a mailbox is not configured any more

    def update(self, name: str, **changes: Any) -> None:
        """Set some fields of a mailbox's state; of one that is not configured any more there is none."""
        with self._lock:
            if self._configured is not None and name not in self._configured:
                return
            old = self._states.get(name) or MailboxStatus(name=name, state="waiting")
            new = replace(old, **changes)
            if new != old or name not in self._states:
                self._states[name] = new
                self._changed.add(name)

    def configure(self, names: dict[str, bool]) -> None:
        """These mailboxes are configured, True for those that are read."""
        with self._lock:
            self._configured = frozenset(names)
            self._dropped |= not self._states.keys() <= names.keys()
            self._states = {name: state for name, state in self._states.items() if name in names}
            self._changed &= set(names)
        for name, enabled in names.items():
            if not enabled:
                self.update(name, state="resting", next_due=None)
            elif name not in self._states or self._states[name].state == "resting":
                self.update(name, state="waiting")

    def run(self) -> float:
        """Write what changed; a store that cannot be written just now is told of by the jobs that need it."""
        with contextlib.suppress(StoreFailed):
            self.flush()
        return EVERY

    def flush(self) -> None:
        """Write what changed since the last time. Raises StoreFailed; what was not written is written next time."""
        with self._lock:
            changed = [self._states[name] for name in self._changed]
            configured = list(self._states) if self._dropped else None
            if not changed and configured is None:
                return
            self._dropped = False
        try:
            self._mailboxes.report(changed, configured)
        except BaseException:
            self._dropped |= configured is not None
            raise
        with self._lock:
            written = {state.name for state in changed if self._states.get(state.name) == state}
            self._changed -= written
