"""Mails that our own code fails on: held as they came, so that none of them costs the others anything.

A mail that raises is known at once. One that ends the process (a fault in a library, or the kernel, which was asked for
too much memory) is found out by marks: one a batch, on the disk before our code looks at it; that of a batch which
follows another stands in the commit that keeps the other. What was under a mark when the process ended is looked at
alone after the next start, while the others go on in batches; what ends the process alone, again and again, is held.
A power cut holds nobody: it would have to strike the same mail alone each time.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from emaild import fault_points
from emaild.clock import Clock
from emaild.errors import RemoteError, StoreFailed
from emaild.fault_points import FaultPoint
from emaild.jobs.looking import Looking
from emaild.log import events
from emaild.message import Inbound, Understood, new_id
from emaild.settings.mailbox import MailboxSection
from emaild.store import Store
from emaild.store.held import HeldMail, How
from emaild.store.raw import digest

MOST_DEATHS = 3  # so often a mail may end the process alone
LONGEST_TRACEBACK = 20_000  # characters; its end says the most
ENDED = f"It ended the process {MOST_DEATHS} times while nothing else was looked at."

Looked = tuple[Inbound, Understood]
"""A mail as it is to be stored, and what it becomes."""

Look = Callable[[Inbound], Callable[[], Looked]]
"""Reads a mail; what it gives says what the mail becomes, once all of its commit are read. May fail in any way."""

Failed = tuple[Inbound, Exception, str]
"""A mail, what it failed with, and the traceback."""

Came = TypeVar("Came")

Keep = Callable[[Sequence[Looked], Sequence[str]], None]
"""Stores that in one commit with the mark of what comes next, by its keys; fails with StoreFailed only."""


class Quarantine:
    """Between the fetching and the storing of one section's mails."""

    def __init__(self, section: MailboxSection, store: Store, looking: Looking, clock: Clock) -> None:
        self._section = section
        self._store = store
        self._looking = looking
        self._clock = clock
        self._suspects: dict[str, int] | None = None  # by key how often it ended the process alone; None: not known yet
        self._marked: frozenset[str] = frozenset()  # what is under the mark and perhaps not in the store

    def take(
        self,
        mails: Sequence[Inbound],
        look: Callable[[], Look],
        keep: Keep,
        *,
        settled: bool,
        coming: Sequence[str] = (),
    ) -> None:
        """When this returns all of them are in the store, some of them perhaps held.

        *look* is asked for anew for the mails of each commit; *settled*: the server need not be told of those held.
        *coming* are the keys of what is probably taken next: what is marked with the commit of these mails needs none
        of its own.

        Raises:
            StoreFailed: some are not.
        """
        suspects = self._known_suspects()
        together = [mail for mail in mails if mail.key not in suspects]
        if together:
            with self._looking.together():
                self._take(together, look(), keep, settled=settled, alone=False, coming=coming)
        for mail in mails:
            if mail.key in suspects:
                with self._looking.alone():
                    if suspects[mail.key] < MOST_DEATHS:
                        self._take([mail], look(), keep, settled=settled, alone=True)
                    else:
                        self._hold(mail, How.ENDED, ENDED, ENDED, settled=settled)
                del suspects[mail.key]

    def marked(self, keys: Sequence[str]) -> None:
        """A commit had the mark of these."""
        self._marked = frozenset(keys)

    def end(self) -> None:
        """Nothing is looked at any more: the process may end."""
        if self._marked:
            self._store.marks.clear(self._section.account)

    def _known_suspects(self) -> dict[str, int]:
        if self._suspects is None:
            self._suspects = dict(self._store.marks.suspects(self._section.account))
            if self._suspects:
                events.mail_suspected(section=self._section.name, count=len(self._suspects))
        return self._suspects

    def _take(
        self,
        mails: Sequence[Inbound],
        look: Look,
        keep: Keep,
        *,
        settled: bool,
        alone: bool,
        coming: Sequence[str] = (),
    ) -> None:
        keys = [mail.key for mail in mails]
        if alone or not self._marked.issuperset(keys):
            self._store.marks.begin(self._section.account, keys, alone=alone)
            self.marked(keys)
        failed: list[Failed] = []
        read = _done([(mail, partial(_read, look, mail)) for mail in mails], failed)
        looked = [found for _, found in _done(read, failed)]
        if looked:
            keep(looked, coming)
            self.marked(coming)
        for mail, what, text in failed:
            # Of an error the log has its name alone: what it says may be what the mail says.
            self._hold(mail, How.RAISED, text, type(what).__name__, settled=settled)

    def _hold(self, mail: Inbound, how: How, text: str, reason: str, *, settled: bool) -> None:
        now = self._clock.now()
        held = HeldMail(
            id=new_id(now),
            account=self._section.account,
            mailbox=self._section.name,
            key=mail.key,
            raw_digest=digest(mail.raw),
            at=now,
            how=how,
            traceback=text,
        )
        if self._store.held.hold(held, mail, settled=settled):
            events.mail_held(section=self._section.name, key=mail.key, held=held.id, reason=reason)


def _read(look: Look, mail: Inbound) -> Callable[[], Looked]:
    fault_points.reached(FaultPoint.UNDERSTANDING)
    return look(mail)


def _done(steps: Sequence[tuple[Inbound, Callable[[], Came]]], failed: list[Failed]) -> list[tuple[Inbound, Came]]:
    """What came of each mail's step, but for those that failed."""
    done = []
    for mail, step in steps:
        try:
            done.append((mail, step()))
        except (RemoteError, StoreFailed):
            raise
        except Exception as error:  # noqa: BLE001  (whatever it is, the other mails have no part in it)
            failed.append((mail, error, traceback_of_now()))
    return done


def traceback_of_now() -> str:
    """Of the exception that is being handled; of a long one its end."""
    return traceback.format_exc()[-LONGEST_TRACEBACK:]
