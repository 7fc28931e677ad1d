"""What runs of the settings: a part for each mailbox, each way out and the webhook; and the threads for them."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

from emaild.clock import Clock
from emaild.errors import StoreFailed
from emaild.jobs.adapters import sink_for, source_for
from emaild.jobs.asked import Told, nobody
from emaild.jobs.collect import Collect
from emaild.jobs.deliver import WayOut
from emaild.jobs.intake import Intake
from emaild.jobs.looking import Looking
from emaild.jobs.publish.job import Publish
from emaild.jobs.reading import Readers
from emaild.jobs.returns import Returns
from emaild.jobs.schedule import Schedule
from emaild.jobs.status import StatusBoard
from emaild.jobs.workers import start_workers
from emaild.net.descriptors import make_room
from emaild.net.idle import IdleWatch
from emaild.net.oauth import Sealed, SectionTokens, tokens_for
from emaild.services.submit import Submit
from emaild.settings.load import Settings
from emaild.settings.mailbox import MailboxSection, MailboxType
from emaild.settings.network import ProxySection
from emaild.settings.way_out import WayOutSection
from emaild.settings.webhook import WebhookSection
from emaild.store import Store
from emaild.supervisor import Supervisor

S = TypeVar("S", MailboxSection, WayOutSection, WebhookSection)


Served = tuple[S, ProxySection | None]
"""A section that runs, and the proxy that its connections go through: where one of the two changes it starts anew."""


@dataclass(frozen=True)
class Applied:
    """The sections that were started and stopped, and how many were kept. One that changed is in both."""

    started: frozenset[str]
    stopped: frozenset[str]
    kept: int


class Running:
    """The parts that run, and `settings`, which ask for just these. Changed by the main thread alone."""

    def __init__(self, settings: Settings, store: Store, clock: Clock) -> None:
        self.settings = settings
        self._store = store
        self._clock = clock
        per_host = settings.emaild.connections_per_host
        self.inbound = Schedule(clock, per_host=per_host)
        half = max(1, settings.emaild.outbound_workers // 2)  # so that a way out that hangs leaves some to the others
        self._outbound = Schedule(clock, per_host=half)
        self._pushing = Schedule(clock, per_host=1)
        self.schedules = (self.inbound, self._outbound, self._pushing)
        self._idle = IdleWatch(clock)
        self.sealed = Sealed(settings.emaild.state_directory)
        self.tokens: dict[str, SectionTokens] = {}
        self._looking = Looking()
        self.readers = Readers(clock, lambda: self.settings.emaild.reader_process and len(os.sched_getaffinity(0)) > 1)
        self.board = StatusBoard(store.mailboxes)
        self.submit = Submit(store, lambda: self.settings, clock)
        self._mailboxes: Supervisor[Served[MailboxSection]] = Supervisor(self._start_mailbox)
        self._ways: Supervisor[Served[WayOutSection]] = Supervisor(self._start_way_out)
        self._webhook: Supervisor[Served[WebhookSection]] = Supervisor(self._start_webhook)
        self._running_boxes: dict[str, Collect] = {}
        self._running_ways: dict[str, WayOut] = {}
        self.publish: Publish | None = None

    def ways_out(self) -> list[WayOut]:
        """Those that run."""
        return list(self._running_ways.values())

    @property
    def counts(self) -> tuple[int, int]:
        """How many mailboxes and how many ways out there are."""
        return len(self._mailboxes.sections), len(self._ways.sections)

    # Life

    def start(self) -> list[threading.Thread]:
        """Start the threads; returns those of whom each should live as long as the daemon."""
        self._idle.start()
        return [
            *start_workers("webhook", self._pushing, 1),
            *start_workers("in", self.inbound, self.settings.emaild.inbound_workers),
            *start_workers("out", self._outbound, self.settings.emaild.outbound_workers),
        ]

    def apply(self, settings: Settings) -> Applied:
        """Make exactly these settings run."""
        self.settings = settings
        self.sealed.flush()
        read = settings.read_mailboxes()
        make_room(sum(section.type is not MailboxType.POP3 for section in read.values()))
        self.board.configure({name: name in read for name in settings.mailboxes})
        webhooks = {"webhook": settings.webhook} if settings.webhook else {}
        pushes = self._webhook.apply(_served(settings, webhooks))  # before there is anything new to be told
        if not webhooks:
            self.publish = None
        known = dict(self.tokens)
        boxes = self._mailboxes.apply(_served(settings, read))
        ways = self._ways.apply(_served(settings, settings.used_ways_out()))
        for name in boxes.stop - set(boxes.start):
            self._running_boxes.pop(name, None)
        for name in ways.stop - set(ways.start):
            self._running_ways.pop(name, None)
        for name in boxes.stop | ways.stop:
            if self.tokens.get(name) is known.get(name):  # else it has new ones
                self.tokens.pop(name, None)
        plans = (boxes, ways, pushes)
        return Applied(
            started=frozenset(name for plan in plans for name in plan.start),
            stopped=frozenset(name for plan in plans for name in plan.stop),
            kept=sum(len(plan.keep) for plan in plans),
        )

    def stop(self) -> None:
        """Take nothing new on; what is under way is finished."""
        for tokens in self.tokens.values():
            tokens.give_up()
        self._mailboxes.apply({})
        self._ways.apply({})
        self._webhook.apply({})

    def end(self) -> None:
        """Nothing is finished any more."""
        for schedule in self.schedules:
            schedule.stop()
        self._idle.stop()
        self.readers.close()
        self.sealed.flush()

    # What is asked of parts while they run

    def poll(self, name: str, told: Told = nobody) -> bool:
        """Read a mailbox now; *told* is called when that is done. Returns whether it is one that is read."""
        job = self._running_boxes.get(name)
        if job is not None:
            job.ask(told)
        return job is not None

    def try_now(self, name: str) -> None:
        """Try a section again at once, whatever failed before."""
        if name in self.tokens:
            self.tokens[name].try_again()
        if name in self._running_boxes:
            self.inbound.wake(self._running_boxes[name])
        if name in self._running_ways:
            with contextlib.suppress(StoreFailed):  # then it is tried when its time comes
                self._running_ways[name].try_now()

    def try_failing(self) -> None:
        """Try all that fail again at once."""
        boxes = [name for name, job in self._running_boxes.items() if job.failing]
        ways = [name for name, way in self._running_ways.items() if way.failing]
        for name in boxes + ways:
            self.try_now(name)

    def wake_way(self, name: str) -> None:
        """Try a way out again at once, with what is due."""
        if name in self.tokens:
            self.tokens[name].try_again()
        if name in self._running_ways:
            self._running_ways[name].wake()

    def look_into_outbox(self, names: Collection[str]) -> None:
        """There is mail for these ways out."""
        for name in names:
            if (way := self._running_ways.get(name)) is not None:
                way.look()

    # Parts

    def _start_mailbox(self, served: Served[MailboxSection]) -> Collect:
        section, proxy = served
        intake = Intake(
            section,
            lambda: self.settings,
            store=self._store,
            looking=self._looking,
            clock=self._clock,
            waiting=lambda: self.inbound.wake(self.submit),
            readers=self.readers,
        )
        job = Collect(
            section,
            source_for(section, proxy, self._tokens_of(section, proxy), self._clock),
            store=self._store,
            schedule=self.inbound,
            idle=self._idle,
            board=self.board,
            clock=self._clock,
            intake=intake,
        )
        self.inbound.add(job)
        self._running_boxes[section.name] = job
        return job

    def _start_way_out(self, served: Served[WayOutSection]) -> WayOut:
        section, proxy = served
        tokens = self._tokens_of(section, proxy)
        way = WayOut(
            section,
            lambda: sink_for(section, proxy, tokens, self._clock),
            store=self._store,
            schedule=self._outbound,
            clock=self._clock,
            returns=Returns(section, lambda: self.settings, self._store, lambda: self.inbound.wake(self.submit)),
        )
        way.start()
        self._running_ways[section.name] = way
        return way

    def _start_webhook(self, served: Served[WebhookSection]) -> Publish:
        section, proxy = served
        job = Publish(
            section,
            proxy,
            lambda: self.settings,
            store=self._store,
            schedule=self._pushing,
            clock=self._clock,
        )
        self._pushing.add(job)
        self.publish = job
        return job

    def _tokens_of(self, section: MailboxSection | WayOutSection, proxy: ProxySection | None) -> SectionTokens | None:
        made = tokens_for(section, proxy=proxy, clock=self._clock, sealed=self.sealed)
        if made is not None:
            self.tokens[section.name] = made
        return made


def _served(settings: Settings, sections: Mapping[str, S]) -> dict[str, Served[S]]:
    return {name: (section, settings.proxy_for(section)) for name, section in sections.items()}
