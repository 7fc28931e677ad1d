"""A mailbox in memory, and the job that reads it: everything but the network is real."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emaild.errors import Unreachable
from emaild.jobs.collect import Collect
from emaild.jobs.intake import Intake
from emaild.jobs.looking import Looking
from emaild.jobs.schedule import Schedule
from emaild.jobs.status import StatusBoard
from emaild.message import Inbound, Interaction
from emaild.net.idle import IdleWatch
from emaild.settings.daemon import EmaildSection, StoreSection
from emaild.settings.discovery import DiscoverySection
from emaild.settings.load import Settings
from emaild.settings.log import LogSection
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxSection
from emaild.settings.processing import ProcessingSection
from emaild.settings.secret import Secret
from emaild.settings.way_out import WayOutSection
from emaild.sources import Listing, Wait
from emaild.store import Store
from emaild.store.mailboxes import MailboxStatus
from tests.clock import START, ManualClock
from tests.samples import mail

BATCH = 2


@dataclass
class Mailbox:
    """What lies on the server, and how the server behaves."""

    mails: dict[str, bytes] = field(default_factory=dict)
    arrived: dict[str, datetime] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)  # acknowledged, in turns that were finished
    breaks_at: set[str] = field(default_factory=set)  # the connection breaks when one of these is fetched
    refuses: set[str] = field(default_factory=set)
    tells: dict[str, int] = field(default_factory=dict)  # sizes that the server tells instead of the true ones
    no_heads: bool = False  # the server will not give the beginning of a mail
    read_only: bool = False
    down: Exception | None = None  # what a connection meets
    breaks_at_acknowledging: int = 0  # so many times
    connection: socket.socket | None = None  # what to wait for, where the server tells of new mail
    speaks_of_mails: bool = True  # what it says there
    log: list[str] = field(default_factory=list)  # what was asked of the server, in its order

    def add(self, *keys: str, arrived: datetime = START) -> None:
        """New mails, each like no other."""
        for key in keys:
            self.mails[key] = mail(f"Mail {key}")
            self.arrived[key] = arrived


class MemorySource:
    """A `Source` of a mailbox in memory."""

    may_ask_ahead = True

    def __init__(self, section: MailboxSection, mailbox: Mailbox) -> None:
        self._section = section
        self._mailbox = mailbox
        self._pending: list[str] = []
        self.connected = False

    def open(self) -> None:
        if self._mailbox.down is not None:
            raise self._mailbox.down
        if not self.connected:
            self._mailbox.log.append("open")
        self.connected = True

    def look(self, cursor: str | None, again: Sequence[str] = ()) -> Listing:
        first, keys = cursor is None, tuple(self._mailbox.mails)
        skip = first and self._section.first is FirstFetch.NEW
        return Listing(
            keys=() if skip else keys,
            skipped=keys if skip else (),
            cursor="contacted",
            cursor_when_done=f"{len(keys)} done",
            held=len(keys),
            first_contact=first,
        )

    def before(self, day: datetime, keys: Sequence[str]) -> frozenset[str]:
        return frozenset(key for key in keys if self._mailbox.arrived[key] < day)

    def sizes(self, keys: Sequence[str]) -> Mapping[str, int]:
        true = {key: len(self._mailbox.mails[key]) for key in keys if key in self._mailbox.mails}
        return true | {key: size for key, size in self._mailbox.tells.items() if key in true}

    def fetch(self, keys: Sequence[str]) -> Iterator[list[Inbound]]:
        given = [key for key in keys if key in self._mailbox.mails and key not in self._mailbox.refuses]
        for start in range(0, len(given), BATCH):
            batch = given[start : start + BATCH]
            if self._mailbox.breaks_at.intersection(batch):
                self._break("fetch")
            self._mailbox.log.append(f"fetch {' '.join(batch)}")
            yield [Inbound(key=key, raw=self._mailbox.mails[key]) for key in batch]

    def head(self, key: str, most: int) -> bytes | None:
        self._mailbox.log.append(f"head {key}")
        if key in self._mailbox.breaks_at:
            self._break("fetch the beginning")
        return None if self._mailbox.no_heads or key not in self._mailbox.mails else self._mailbox.mails[key][:most]

    def acknowledge(self, keys: Sequence[str]) -> None:
        if keys and self._mailbox.breaks_at_acknowledging:
            self._mailbox.breaks_at_acknowledging -= 1
            self._break("acknowledge")
        self._pending += keys

    def delete(self, keys: Sequence[str]) -> bool:
        if self._mailbox.read_only:
            return False
        self._mailbox.log.append(f"delete {' '.join(keys)}")
        for key in keys:
            del self._mailbox.mails[key]
        return True

    def finish(self) -> None:
        self._mailbox.told += self._pending
        self._pending = []

    def wait(self) -> Wait:
        return Wait(self._section.cycle_time, self._mailbox.connection, lambda: self._mailbox.speaks_of_mails)

    def close(self) -> None:
        if self.connected:
            self._mailbox.log.append("close")
        self.connected = False
        self._pending = []

    def _break(self, action: str) -> None:
        self.close()
        raise Unreachable("mail.example", action, "the connection broke")


def settings(
    *sections: MailboxSection, ways_out: Sequence[WayOutSection] = (), templates: Path | None = None, **given: Any
) -> Settings:
    """Settings with these sections; *given* are fields of [email-processing]."""
    return Settings(
        emaild=EmaildSection(templates=templates),
        mailboxes={section.name: section for section in sections},
        ways_out={way.name: way for way in ways_out},
        processing=ProcessingSection(**({"default_inbound_queue": "default"} | given)),
        rules={},
        agents={},
        api=None,
        api_tokens={},
        webhook=None,
        discovery=DiscoverySection(),
        email2={},
        proxies={},
        secrets={},
        endpoints={},
        store=StoreSection(),
        log=LogSection(),
        origins={},
        files=(),
        watched=(),
        secret_files=(),
        digest="",
        warnings=(),
    )


class Reading:
    """The job of one mailbox section, with what it works on. Use it as a context."""

    def __init__(
        self,
        store: Store,
        clock: ManualClock,
        *,
        first: FirstFetch = FirstFetch.ALL,
        after: AfterFetch = AfterFetch.DELETE,
        begin_date: datetime | None = None,
        most: int = 100,
        endpoint: str = "",
        **given: Any,
    ) -> None:
        self.store = store
        self.mailbox = Mailbox()
        self.section = MailboxSection(
            name="pop-client",
            server="mail.example",
            mailbox="ann",
            password=Secret("hunter2"),
            first_fetch=first,
            after_fetch=after,
            begin_date=begin_date,
            maximum_msg_number=most,
            endpoint=endpoint,
            **given,
        )
        self.settings = settings(self.section)
        self.looking = Looking()
        self.source = MemorySource(self.section, self.mailbox)
        self.schedule = Schedule(clock, per_host=8)
        self.board = StatusBoard(store.mailboxes)
        self.idle = IdleWatch(clock)
        self.job = self.restarted(clock)

    def restarted(self, clock: ManualClock) -> Collect:
        """The job as a daemon makes it that knows nothing but what the store holds."""
        return Collect(
            self.section,
            self.source,
            store=self.store,
            schedule=self.schedule,
            idle=self.idle,
            board=self.board,
            clock=clock,
            intake=Intake(self.section, lambda: self.settings, store=self.store, looking=self.looking, clock=clock),
        )

    def __enter__(self) -> Self:
        self.idle.start()
        self.schedule.add(self.job)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.idle.stop()

    def run(self) -> float | None:
        """One turn."""
        return self.job.run()

    def run_until_done(self, most: int = 50) -> list[float | None]:
        """Turns for as long as the job asks for the next at once; what each of them asked for."""
        waits = [self.run()]
        while waits[-1] == 0 and len(waits) < most:
            waits.append(self.run())
        return waits

    @property
    def interactions(self) -> list[Interaction]:
        return list(self.store.interactions.all())

    @property
    def subjects(self) -> list[str]:
        """Of the interactions, sorted."""
        return sorted(entry.facts.subject for entry in self.interactions)

    @property
    def status(self) -> MailboxStatus:
        """What `emaild mailboxes` shows."""
        self.board.flush()
        return self.store.mailboxes.all()[self.section.name]
