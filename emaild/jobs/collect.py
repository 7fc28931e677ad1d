"""Reading one mailbox: mails become interactions, and only then the server is told.

Order is everything here. Mails, interactions and "this key was taken" are one commit; the server is told after it;
that the server was told is a commit of its own. Whichever step is the last before the power fails, the next turn
goes on from there, and a step that is done twice changes nothing.

A source may fetch a batch ahead, and tell the server of several batches at once, as late as `Source.finish`: what it
was not told of is unsettled, and told at the next turn. Another process may read a batch while the one before it is
stored. What was fetched and not stored is fetched again.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from emaild import fault_points
from emaild.clock import Clock
from emaild.errors import Busy, RemoteError, StoreFailed
from emaild.fault_points import FaultPoint
from emaild.jobs.asked import Asked, Told
from emaild.jobs.health import Health, StoreHealth
from emaild.jobs.intake import Intake
from emaild.jobs.left_out import LeftOut
from emaild.jobs.our_fault import in_a_line
from emaild.jobs.schedule import Schedule
from emaild.jobs.status import StatusBoard
from emaild.jobs.workers import AFTER_A_FAULT
from emaild.log import events
from emaild.net.idle import IdleWatch
from emaild.retry import Backoff
from emaild.settings.mailbox import UNAWAITED, MailboxSection
from emaild.sources import BATCH_MAILS, Listing, Source, Wait
from emaild.store import Store

LEAST_BACKOFF = 5.0  # seconds; a mailbox that fails is left alone for this long at least
MOST_BACKOFF = 900.0  # seconds; a server that is back is used again within a quarter of an hour


class Collect:
    """The job of one mailbox section."""

    def __init__(
        self,
        section: MailboxSection,
        source: Source,
        *,
        store: Store,
        schedule: Schedule,
        idle: IdleWatch,
        board: StatusBoard,
        clock: Clock,
        intake: Intake,
    ) -> None:
        self._section = section
        self._source = source
        self._store = store
        self._schedule = schedule
        self._idle = idle
        self._board = board
        self._clock = clock
        self._intake = intake
        self._stopped = threading.Event()
        self._asked = Asked()
        self._waiting: tuple[Wait, float] | None = None  # what is watched, and until when
        # Asked for when the connection broke, or not given: they wait until nothing else is to be done, so that no
        # mail keeps others from being taken, or the server from being told of them. In the order of their tries.
        self._late: dict[str, None] = {}
        self._parts: dict[str, bool] = {}  # mails of which only a part was taken in this turn; whether they stay
        self._careful = False  # the connection broke: fetch one by one, so that the mail which does it is found
        self._left_out = LeftOut(section, source, store.interactions, intake, clock)
        backoff = Backoff(first=max(section.cycle_time, LEAST_BACKOFF), maximum=MOST_BACKOFF)
        self._health = Health(section.name, backoff, events.mailbox_failed, events.mailbox_recovered)
        self._store_health = StoreHealth(f"keep mail of {section.name}")
        self.name = section.name
        self.host = section.server

    def stop(self) -> None:
        """No further turn; what is under way ends after its batch. The connection is closed by the last run."""
        self._stopped.set()
        self._schedule.retire(self)

    def ask(self, told: Told) -> None:
        """A look at once; *told* is called, in any thread, when it has ended."""
        self._asked.ask(told)
        self._schedule.wake(self)

    @property
    def failing(self) -> bool:
        """Whether it did not work the last time."""
        return self._health.failures > 0

    def run(self) -> float | None:
        """One turn, and then wait for the next as the source says; where it is read by hand, until somebody asks."""
        self._idle.recall(self.name)
        if self._stopped.is_set():
            self._end()
            return None
        asked = self._asked.begin()
        if not asked and self._section.by_hand:
            return None
        waiting, self._waiting = self._waiting, None
        try:
            if waiting is not None and not asked and self._waits_on(*waiting):
                return None
            more = self._turn()
            wait = Wait(0) if more or self._stopped.is_set() else self._rest()
        except RemoteError as error:
            return self._failed(error)
        except StoreFailed as error:
            self._source.close()
            self._store_health.failed(error)
            self._asked.end(f"the store cannot be used just now: {error}")
            return None if self._section.by_hand else LEAST_BACKOFF
        except Exception as fault:  # the worker's guard tells the log, and tries it again
            self._failed_by_us(in_a_line(fault))
            raise
        self._health.worked()
        self._store_health.worked()
        self._show("ok", wait.seconds)
        if not more:
            self._asked.end()
        if wait.connection is None:
            return None if math.isinf(wait.seconds) else wait.seconds
        self._watch(wait, self._clock.monotonic() + wait.seconds)
        return None

    def _watch(self, wait: Wait, until: float) -> None:
        assert wait.connection is not None
        self._waiting = wait, until
        left = until - self._clock.monotonic()
        self._idle.watch(self.name, wait.connection, left, lambda: self._schedule.wake(self))

    def _waits_on(self, wait: Wait, until: float) -> bool:
        """Whether the server only said that it is still there: then its connection waits for the rest of its time."""
        if self._clock.monotonic() >= until or wait.is_news():
            return False
        self._watch(wait, until)
        return True

    def _rest(self) -> Wait:
        """Until the next look."""
        if not self._section.by_hand:
            return self._source.wait()
        self._source.close()
        return Wait(math.inf)

    def _end(self) -> None:
        self._source.close()
        self._asked.close("the daemon stopped reading it, or reads it by other settings now; ask again")
        with contextlib.suppress(StoreFailed):  # then these mails are looked at with care after the next start
            self._intake.end()

    def _failed(self, error: RemoteError) -> float | None:
        self._source.close()
        if self._stopped.is_set():  # nobody waits for a server any more, nor is this told: it runs once more, to end
            return 0.0
        wait = self._health.failed(error)
        self._asked.end(str(error), temporary=error.temporary)
        if self._section.by_hand:
            self._show("failing", math.inf)
            return None
        self._show("failing", wait)
        return wait

    def _failed_by_us(self, words: str) -> None:
        self._asked.end(f"{words}; the log says more", temporary=False)
        self._show("failing", math.inf if self._section.by_hand else AFTER_A_FAULT, words)
        self._source.close()

    def _show(self, state: str, wait: float, error: str | None = None) -> None:
        now = self._clock.now()
        self._board.update(
            self.name,
            state=state,
            last_poll=now,
            last_error=(error or self._health.last_error) if state == "failing" else None,
            next_due=None if math.isinf(wait) else now + timedelta(seconds=wait),
        )

    def _turn(self) -> bool:
        """Take what there is, up to a number of mails. Returns whether there is more."""
        account, kept = self._section.account, self._store.interactions
        self._parts.clear()
        self._source.open()
        again = self._left_out.again()
        listing = self._source.look(kept.cursor(account), again)
        self._meet(listing)
        unsettled = kept.unsettled(account)
        self._source.acknowledge(unsettled)
        wanted = self._wanted(listing)
        self._left_out.forget(set(again).difference(wanted))
        fresh = [key for key in wanted if key not in self._late]
        retrying = not fresh and not unsettled
        now = wanted[: self._section.maximum_msg_number] if retrying else fresh[: self._most()]
        taken = self._take(now, one_by_one=retrying or self._careful)
        acknowledged = unsettled + taken
        self._source.finish()
        if acknowledged:
            fault_points.reached(FaultPoint.ACKNOWLEDGED)
        more = bool(self._left_out.without(set(wanted).difference(taken)))
        cursor = listing.cursor if more else listing.cursor_when_done
        if acknowledged or (cursor != listing.cursor and not more):
            coming = fresh[len(now) : len(now) + BATCH_MAILS]
            kept.settle(account, acknowledged, cursor, coming)
            if coming:
                self._intake.marked(coming)
            if acknowledged:
                fault_points.reached(FaultPoint.SETTLED)
        return more and not retrying

    def _most(self) -> int:
        """How many mails this turn takes."""
        return self._section.maximum_msg_number * (1 if self._schedule.is_awaited(self) else UNAWAITED)

    def _meet(self, listing: Listing) -> None:
        """What is to be remembered and said of a mailbox that is new to us."""
        if not (listing.first_contact or listing.renumbered):
            return
        account = self._section.account
        self._store.interactions.remember(account, listing.cursor, listing.skipped)
        if listing.renumbered:
            events.mailbox_renumbered(section=self.name, account=account)
        else:
            events.mailbox_first_contact(
                section=self.name,
                account=account,
                held=listing.held,
                skipped=listing.held - len(listing.keys),
            )

    def _wanted(self, listing: Listing) -> list[str]:
        """What was never taken, in the server's order but for what is late."""
        kept, account = self._store.interactions, self._section.account
        unknown = self._left_out.without(kept.unknown(account, listing.keys))
        begin = self._section.begin(self._clock.now())
        if unknown and begin is not None:
            old = self._source.before(begin, unknown)
            if old:
                kept.remember(account, listing.cursor, sorted(old))
                unknown = [key for key in unknown if key not in old]
        self._late |= {key: None for key in unknown if self._left_out.has_broken(key)}
        still = set(unknown)
        self._late = {key: None for key in self._late if key in still}
        rank = {key: number for number, key in enumerate(self._late, start=1)}
        return sorted(unknown, key=lambda key: rank.get(key, 0))

    def _take(self, keys: Sequence[str], *, one_by_one: bool) -> list[str]:
        """Fetch, store, acknowledge, batch by batch. Returns the keys of which the server was told."""
        acknowledged: list[str] = []
        missing = dict.fromkeys(keys)
        try:
            for done in self._stored(keys, one_by_one=one_by_one):
                fault_points.reached(FaultPoint.STORED)
                for key in done:
                    missing.pop(key, None)
                self._asked.count(done, ())
                self._acknowledge(done)
                acknowledged += done
                if self._stopped.is_set():
                    return acknowledged
        except RemoteError:
            self._careful = True
            self._postpone(self._left_out.without(missing)[:1])
            raise
        finally:
            self._asked.count((), [key for key in missing if not self._left_out.is_deleted(key)])
        self._careful = False
        self._postpone(self._left_out.without(missing))
        return acknowledged

    def _postpone(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._late.pop(key, None)
            self._late[key] = None

    def _stored(self, keys: Sequence[str], *, one_by_one: bool) -> Iterator[list[str]]:
        """Fetch and store. Each batch is in the store when its keys are given."""
        for part in [[key] for key in keys] if one_by_one else [keys]:
            try:
                yield from self._fetch(part)
            except Busy:  # it says nothing of these mails
                raise
            except RemoteError as error:
                self._left_out.broke(part, error)
                raise

    def _fetch(self, keys: Sequence[str]) -> Iterator[list[str]]:
        fitting, stripped = self._left_out.before_fetch(keys)
        if stripped:
            yield stripped
        place = {key: number for number, key in enumerate(fitting, start=1)}
        ahead = len(fitting) if self._source.may_ask_ahead else 0
        for batch, read in self._intake.ahead(self._left_out.fetch(fitting), ahead):
            fault_points.reached(FaultPoint.FETCHED)
            done = place[batch[-1].key]
            taken, stripped = self._left_out.after_fetch(batch)
            self._parts |= {inbound.key: self._intake.stays(inbound) for inbound in taken if inbound.left}
            if taken:
                self._intake.take(taken, fitting[done : done + BATCH_MAILS], read)
                self._board.update(self.name, last_mail=self._clock.now())
            if taken or stripped:
                yield [*(inbound.key for inbound in taken), *stripped]

    def _acknowledge(self, keys: Sequence[str]) -> None:
        """Tell the server of what is in the store; what could not be read goes from there where that is asked for."""
        bad = {}
        if self._section.delete_bad_formatted_msg:
            found = self._intake.unreadable.items()
            bad = {key: reason for key, reason in found if key in keys and key not in self._parts}
        if bad and self._source.delete(tuple(bad)):
            for key, reason in bad.items():
                events.mail_bad_format_deleted(section=self.name, key=key, reason=reason)
        self._source.acknowledge([key for key in keys if key not in bad and not self._parts.get(key)])
