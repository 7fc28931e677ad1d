"""The one wiring file: settings in, running parts out; the order of start, reload and drain."""

from __future__ import annotations

import contextlib
import importlib
import os
import queue
import signal
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

from emaild import __version__
from emaild.api.vitals import Pulse, Vitals
from emaild.clock import Clock, SystemClock
from emaild.errors import ConfigError, StoreFailed
from emaild.jobs.adapters import sink_for, source_for
from emaild.jobs.asked import Told, nobody
from emaild.jobs.collect import Collect
from emaild.jobs.deliver import WayOut
from emaild.jobs.endings import Endings
from emaild.jobs.fetches import Fetches
from emaild.jobs.hearing import hear
from emaild.jobs.intake import Intake
from emaild.jobs.leasing import LEASE
from emaild.jobs.looking import Looking
from emaild.jobs.publish.job import Publish
from emaild.jobs.reading import Readers
from emaild.jobs.returns import Returns
from emaild.jobs.schedule import Schedule
from emaild.jobs.sign_ins import SignIns
from emaild.jobs.status import StatusBoard
from emaild.jobs.sweep import Sweep
from emaild.jobs.ways import WaysBoard
from emaild.jobs.workers import start_workers
from emaild.log import events
from emaild.log.libraries import take_over_libraries
from emaild.log.setup import look_after, set_up
from emaild.net.descriptors import make_room
from emaild.net.idle import IdleWatch
from emaild.net.oauth import Sealed, SectionTokens, tokens_for
from emaild.reloader import FileWatch, Reloader
from emaild.services import rule_checks
from emaild.services.submit import Submit
from emaild.settings.files import read_files
from emaild.settings.load import Settings, load
from emaild.settings.mailbox import MailboxSection, MailboxType
from emaild.settings.network import ProxySection
from emaild.settings.option import Effect, options
from emaild.settings.way_out import WayOutSection
from emaild.settings.webhook import WebhookSection
from emaild.store import Store, open_store
from emaild.store.lock import alone
from emaild.supervisor import Supervisor
from emaild.systemd import Notifier

if TYPE_CHECKING:
    from emaild.api.serving import Api

SWEEP_AFTER = 5.0  # seconds after the start: the mail comes first
LONGEST_NAP = 1.0  # seconds; the main thread looks around at least this often

S = TypeVar("S", MailboxSection, WayOutSection, WebhookSection)


Served = tuple[S, ProxySection | None]
"""A section that runs, and the proxy that its connections go through: where one of the two changes it starts anew."""


class Daemon:
    """The running whole. The main thread lives in `run`; everything else happens in the parts' threads."""

    def __init__(self, conf: Path, settings: Settings, store: Store, clock: Clock | None = None) -> None:
        self._conf = conf
        self._settings = settings
        self._store = store
        self._clock = clock or SystemClock()
        per_host = settings.emaild.connections_per_host
        self._inbound = Schedule(self._clock, per_host=per_host)
        half = max(1, settings.emaild.outbound_workers // 2)  # so that a way out that hangs leaves some to the others
        self._outbound = Schedule(self._clock, per_host=half)
        self._pushing = Schedule(self._clock, per_host=1)
        self._idle = IdleWatch(self._clock)
        self._sealed = Sealed(settings.emaild.state_directory)
        self._tokens: dict[str, SectionTokens] = {}
        self._sign_ins = SignIns(self._sealed, self._tokens, self._try_now)
        self._fetches = Fetches(settings.emaild.state_directory, self._poll, self._clock)
        self._looking = Looking()
        self._readers = Readers(
            self._clock, lambda: self._settings.emaild.reader_process and len(os.sched_getaffinity(0)) > 1
        )
        self._board = StatusBoard(store.mailboxes)
        self._mailboxes: Supervisor[Served[MailboxSection]] = Supervisor(self._start_mailbox)
        self._running_boxes: dict[str, Collect] = {}
        self._ways: Supervisor[Served[WayOutSection]] = Supervisor(self._start_way_out)
        self._running_ways: dict[str, WayOut] = {}
        self._ways_board = WaysBoard(
            store.ways_out,
            lambda: list(self._running_ways.values()),
            lambda: self._settings.ways_out,
            self._clock,
            self._wake_way,
        )
        self._webhook: Supervisor[Served[WebhookSection]] = Supervisor(self._start_webhook)
        self._publish: Publish | None = None
        self._pulse = Pulse(self._clock)
        self._endings = Endings(lambda: self._settings, self._clock)
        self._vitals = Vitals(
            store=store,
            clock=self._clock,
            pulse=self._pulse,
            ways_out=lambda: list(self._running_ways.values()),
            webhook=lambda: job.state if (job := self._publish) else None,
            endings=self._endings.known,
        )
        self._api: Api | None = None
        self._sweep = Sweep(store, self._clock, lambda: self._settings.store, lambda: list(self._running_ways.values()))
        self._submit = Submit(store, lambda: self._settings, self._clock)
        self._reloader = Reloader(self._look, self._clock, settings.emaild.reload_quiet, lambda: self._settings.digest)
        self._watch = FileWatch(self._touched)
        self._notifier = Notifier()
        # Not an Event: a signal handler that sets one waits for ever when it interrupted the wait itself.
        self._awake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._ending: str | None = None

    # Parts

    def _start_mailbox(self, served: Served[MailboxSection]) -> Collect:
        section, proxy = served
        intake = Intake(
            section,
            lambda: self._settings,
            store=self._store,
            looking=self._looking,
            clock=self._clock,
            waiting=lambda: self._inbound.wake(self._submit),
            readers=self._readers,
        )
        job = Collect(
            section,
            source_for(section, proxy, self._tokens_of(section, proxy), self._clock),
            store=self._store,
            schedule=self._inbound,
            idle=self._idle,
            board=self._board,
            clock=self._clock,
            intake=intake,
        )
        self._inbound.add(job)
        self._running_boxes[section.name] = job
        return job

    def _tokens_of(self, section: MailboxSection | WayOutSection, proxy: ProxySection | None) -> SectionTokens | None:
        made = tokens_for(section, proxy=proxy, clock=self._clock, sealed=self._sealed)
        if made is not None:
            self._tokens[section.name] = made
        return made

    def _poll(self, name: str, told: Told = nobody) -> bool:
        """Read a mailbox now; *told* is called when that is done. Returns whether it is one that is read."""
        job = self._running_boxes.get(name)
        if job is not None:
            job.ask(told)
        return job is not None

    def _try_now(self, name: str) -> None:
        """Try a section again at once, whatever failed before."""
        if name in self._tokens:
            self._tokens[name].try_again()
        if name in self._running_boxes:
            self._inbound.wake(self._running_boxes[name])
        if name in self._running_ways:
            with contextlib.suppress(StoreFailed):  # then it is tried when its time comes
                self._running_ways[name].try_now()

    def _wake_way(self, name: str) -> None:
        """Try a way out again at once, with what is due."""
        if name in self._tokens:
            self._tokens[name].try_again()
        if name in self._running_ways:
            self._running_ways[name].wake()

    def _look_into_outbox(self, names: Collection[str]) -> None:
        """There is mail for these ways out."""
        for name in names:
            if (way := self._running_ways.get(name)) is not None:
                way.look()

    def _try_failing(self) -> None:
        """Try all that fail again at once: who sends SIGHUP may have put right what no conf file shows."""
        boxes = [name for name, job in self._running_boxes.items() if job.failing]
        ways = [name for name, way in self._running_ways.items() if way.failing]
        for name in boxes + ways:
            self._try_now(name)

    def _interface(self) -> Api:
        """The HTTP interface. What it is made of takes a second to import, which nobody waits for who has no [api]."""
        if self._api is None:
            serving = importlib.import_module("emaild.api.serving")
            self._api = serving.Api(self._store, self._vitals, self._clock, self._poll)
        return self._api

    def _start_way_out(self, served: Served[WayOutSection]) -> WayOut:
        section, proxy = served
        tokens = self._tokens_of(section, proxy)
        way = WayOut(
            section,
            lambda: sink_for(section, proxy, tokens, self._clock),
            store=self._store,
            schedule=self._outbound,
            clock=self._clock,
            returns=Returns(section, lambda: self._settings, self._store, lambda: self._inbound.wake(self._submit)),
        )
        way.start()
        self._running_ways[section.name] = way
        return way

    def _start_webhook(self, served: Served[WebhookSection]) -> Publish:
        section, proxy = served
        job = Publish(
            section,
            proxy,
            lambda: self._settings,
            store=self._store,
            schedule=self._pushing,
            clock=self._clock,
        )
        self._pushing.add(job)
        self._publish = job
        return job

    def _apply(self, settings: Settings) -> tuple[set[str], set[str], int]:
        """Make exactly these settings run. Returns the sections started, stopped, and how many were kept."""
        self._settings = settings
        self._sealed.flush()
        read = settings.read_mailboxes()
        make_room(sum(section.type is not MailboxType.POP3 for section in read.values()))
        self._board.configure({name: name in read for name in settings.mailboxes})
        webhooks = {"webhook": settings.webhook} if settings.webhook else {}
        pushes = self._webhook.apply(_served(settings, webhooks))  # before there is anything new to be told
        if not webhooks:
            self._publish = None
        known = dict(self._tokens)
        boxes = self._mailboxes.apply(_served(settings, read))
        ways = self._ways.apply(_served(settings, settings.used_ways_out()))
        for name in boxes.stop - set(boxes.start):
            self._running_boxes.pop(name, None)
        for name in ways.stop - set(ways.start):
            self._running_ways.pop(name, None)
        for name in boxes.stop | ways.stop:
            if self._tokens.get(name) is known.get(name):  # else it has new ones
                self._tokens.pop(name, None)
        self._inbound.wake(self._endings)
        started = set(boxes.start) | set(ways.start) | set(pushes.start)
        kept = len(boxes.keep) + len(ways.keep) + len(pushes.keep)
        return started, set(boxes.stop | ways.stop | pushes.stop), kept

    # Life

    def run(self) -> None:
        """Work until SIGTERM or SIGINT, then finish what is under way."""
        with self._signals():
            self._begin()
            while self._ending is None:
                with contextlib.suppress(queue.Empty):
                    self._awake.get(timeout=self._nap())
                self._notifier.alive()
                self._pulse.beat()
                look_after(self._clock)
                self._readers.rest()
                self._reload_if_due()
                if self._api is not None:
                    self._api.try_again()
            self._end(self._ending)

    def _begin(self) -> None:
        if self._settings.api is not None:
            self._interface().apply(self._settings)
        resumed = self._store.sending.resume(self._clock.now(), lease=LEASE)
        if resumed:
            events.outbound_resumed(count=resumed)
        wrong = rule_checks.faults(self._settings)  # not a reason to leave mail unread
        for warning in (*self._settings.warnings, *wrong):
            events.conf_warned(message=str(warning))
        self._idle.start()
        self._watch.follow(self._conf, self._settings.watched)
        self._reloader.touch()  # the files may have changed between their reading and this moment
        self._pulse.workers = [
            *start_workers("webhook", self._pushing, 1),
            *start_workers("in", self._inbound, self._settings.emaild.inbound_workers),
            *start_workers("out", self._outbound, self._settings.emaild.outbound_workers),
        ]
        hear(self._settings.emaild.state_directory, self._look_into_outbox)
        self._apply(self._settings)
        self._inbound.add(self._board)
        self._inbound.add(self._ways_board)
        self._inbound.add(self._submit)
        self._inbound.add(self._sweep, after=SWEEP_AFTER)
        self._inbound.add(self._endings)
        self._inbound.add(self._sign_ins)
        self._inbound.add(self._fetches)
        events.daemon_started(
            version=__version__,
            conf=str(self._conf),
            state=str(self._settings.emaild.state_directory),
            mailboxes=len(self._mailboxes.sections),
            ways_out=len(self._ways.sections),
        )
        if not self._mailboxes.sections and not self._ways.sections:
            events.daemon_idle(message="no mailbox and no way out: add a [pop-client] or an [smtp-client] section")
        self._pulse.started = True
        self._notifier.ready(self._status())

    def _end(self, reason: str) -> None:
        self._notifier.stopping()
        self._pulse.stopping = True
        events.daemon_stopping(signal=reason)
        if self._api is not None:
            self._api.stop()
        self._watch.stop()
        for tokens in self._tokens.values():
            tokens.give_up()
        self._mailboxes.apply({})
        self._ways.apply({})
        self._webhook.apply({})
        self._inbound.retire(self._submit)
        self._inbound.retire(self._sweep)
        self._inbound.retire(self._endings)
        self._inbound.retire(self._sign_ins)
        self._inbound.retire(self._fetches)
        self._inbound.retire(self._board)
        self._inbound.retire(self._ways_board)
        until = self._clock.monotonic() + self._settings.emaild.drain_timeout
        schedules = (self._inbound, self._outbound, self._pushing)
        unfinished = sum(self._drain(schedule, until) for schedule in schedules)
        while self._api is not None and not self._api.ended(LONGEST_NAP) and self._clock.monotonic() < until:
            self._notifier.alive()
        for schedule in schedules:
            schedule.stop()
        self._idle.stop()
        self._readers.close()
        self._sealed.flush()
        events.daemon_stopped(unfinished=unfinished)

    def _drain(self, schedule: Schedule, until: float) -> int:
        """Wait until every job has had its last run, and keep systemd's watchdog content meanwhile."""
        while True:
            left = until - self._clock.monotonic()
            unfinished = schedule.wait_until_empty(max(0.0, min(LONGEST_NAP, left)))
            self._notifier.alive()
            self._pulse.beat()
            if not unfinished or left <= 0:
                return unfinished

    def _nap(self) -> float:
        waits = [LONGEST_NAP, self._reloader.due_in(), self._notifier.watchdog_interval]
        return min(wait for wait in waits if wait is not None)

    def _status(self) -> str:
        return f"mailboxes: {len(self._mailboxes.sections)}, ways out: {len(self._ways.sections)}"

    # Reload

    def _look(self) -> str:
        """The digest of what lies there; from now on watched, too, for it may be refused and mended."""
        reading = read_files(self._conf)
        secrets = self._settings.secret_files
        self._watch.follow(self._conf, (*reading.watched, *secrets))
        return reading.digest(secrets)

    def _touched(self) -> None:
        self._reloader.touch()
        self._awake.put(None)

    def _reload_if_due(self) -> None:
        if self._reloader.due_in() == 0.0 and self._reloader.wanted():
            self._notifier.reloading()
            self._reload()
            if self._reloader.was_asked:
                self._try_failing()
            self._notifier.ready(self._status())

    def _reload(self) -> None:
        """Read all, check all, then swap; anything wrong keeps what runs."""
        try:
            settings = load(self._conf)
            _check_rules(settings)
        except ConfigError as error:
            self._reloader.refused()
            events.reload_refused(faults=error.lines)
            return
        self._reloader.accepted()
        late = _needs_restart(self._settings, settings)
        known = {warning.text for warning in self._settings.warnings}
        set_up(settings.log)
        started, stopped, kept = self._apply(settings)
        if settings.api is not None or self._api is not None:
            self._interface().apply(settings)
        for warning in settings.warnings:
            if warning.text not in known:
                events.conf_warned(message=str(warning))
        events.reload_applied(keep=kept, start=started, stop=stopped)
        if late:
            events.reload_needs_restart(options=late)
        if self._watch.follow(self._conf, settings.watched):
            self._reloader.touch()  # what changed while nobody watched

    # Signals

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT end, SIGHUP reloads. What was set before is set again at the end."""

        def end(number: int, frame: FrameType | None) -> None:
            self._ending = signal.Signals(number).name
            self._awake.put(None)

        def reload(number: int, frame: FrameType | None) -> None:
            self._reloader.ask()
            self._awake.put(None)

        handlers = {signal.SIGTERM: end, signal.SIGINT: end, signal.SIGHUP: reload}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _served(settings: Settings, sections: Mapping[str, S]) -> dict[str, Served[S]]:
    return {name: (section, settings.proxy_for(section)) for name, section in sections.items()}


def _check_rules(settings: Settings) -> None:
    faults = tuple(str(fault) for fault in rule_checks.faults(settings))
    if faults:
        raise ConfigError(faults)


def _needs_restart(old: Settings, new: Settings) -> list[str]:
    """Changed options that count from the next start only."""
    before, after = old.sections(), new.sections()
    return [
        f"[{name}] {option.name}"
        for name, section in after.items()
        if name in before
        for option in options(type(section))
        if option.effect is Effect.RESTART and getattr(section, option.field) != getattr(before[name], option.field)
    ]


def run(conf: Path, settings: Settings) -> None:
    """Start the daemon on the settings' state directory and stay until it is told to end.

    Raises:
        AlreadyRunning, StateUnusable, StoreTooNew: it cannot start.
    """
    set_up(settings.log)
    take_over_libraries()
    with alone(settings.emaild.state_directory):
        store = open_store(settings.emaild.state_directory, lambda old, new: events.store_migrated(old=old, new=new))
        try:
            Daemon(conf, settings, store).run()
        finally:
            store.close()
