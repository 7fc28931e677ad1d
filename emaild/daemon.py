"""The wiring: the order of start, reload and drain. What runs of the settings is in `emaild.running`."""

from __future__ import annotations

import contextlib
import importlib
import queue
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from emaild import __version__
from emaild.api.vitals import Pulse, Vitals
from emaild.clock import Clock, SystemClock
from emaild.errors import ConfigError
from emaild.jobs.endings import Endings
from emaild.jobs.fetches import Fetches
from emaild.jobs.hearing import hear
from emaild.jobs.leasing import LEASE
from emaild.jobs.schedule import Job, Schedule
from emaild.jobs.sign_ins import SignIns
from emaild.jobs.sweep import Sweep
from emaild.jobs.ways import WaysBoard
from emaild.log import events
from emaild.log.libraries import take_over_libraries
from emaild.log.setup import look_after, set_up
from emaild.reloader import FileWatch, Reloader
from emaild.running import Running
from emaild.services import rule_checks
from emaild.settings.files import read_files
from emaild.settings.load import Settings, load
from emaild.settings.option import Effect, options
from emaild.store import Store, open_store
from emaild.store.lock import alone
from emaild.systemd import Notifier

if TYPE_CHECKING:
    from emaild.api.serving import Api

SWEEP_AFTER = 5.0  # seconds after the start: the mail comes first
LONGEST_NAP = 1.0  # seconds; the main thread looks around at least this often


class Daemon:
    """The running whole. The main thread lives in `run`; everything else happens in the parts' threads."""

    def __init__(self, conf: Path, settings: Settings, store: Store, clock: Clock | None = None) -> None:
        self._conf = conf
        self._store = store
        self._clock = clock or SystemClock()
        self._running = running = Running(settings, store, self._clock)
        self._endings = Endings(lambda: running.settings, self._clock)
        self._jobs: tuple[Job, ...] = (  # beside those of sections
            running.submit,
            self._endings,
            SignIns(running.sealed, running.tokens, running.try_now),
            Fetches(settings.emaild.state_directory, running.poll, self._clock),
            running.board,
            WaysBoard(
                store.ways_out, running.ways_out, lambda: running.settings.ways_out, self._clock, running.wake_way
            ),
        )
        self._sweep = Sweep(store, self._clock, lambda: running.settings.store, running.ways_out)
        self._pulse = Pulse(self._clock)
        self._vitals = Vitals(
            store=store,
            clock=self._clock,
            pulse=self._pulse,
            ways_out=running.ways_out,
            webhook=lambda: job.state if (job := running.publish) else None,
            endings=self._endings.known,
        )
        self._api: Api | None = None
        self._reloader = Reloader(
            self._look, self._clock, settings.emaild.reload_quiet, lambda: running.settings.digest
        )
        self._watch = FileWatch(self._touched)
        self._notifier = Notifier()
        # Not an Event: a signal handler that sets one waits for ever when it interrupted the wait itself.
        self._awake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._ending: str | None = None

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
                self._running.readers.rest()
                self._reload_if_due()
                if self._api is not None:
                    self._api.try_again()
            self._end(self._ending)

    def _begin(self) -> None:
        settings = self._running.settings
        if settings.api is not None:
            self._interface().apply(settings)
        resumed = self._store.sending.resume(self._clock.now(), lease=LEASE)
        if resumed:
            events.outbound_resumed(count=resumed)
        wrong = rule_checks.faults(settings)  # not a reason to leave mail unread
        for warning in (*settings.warnings, *wrong):
            events.conf_warned(message=str(warning))
        self._watch.follow(self._conf, settings.watched)
        self._reloader.touch()  # the files may have changed between their reading and this moment
        self._pulse.workers = self._running.start()
        hear(settings.emaild.state_directory, self._running.look_into_outbox)
        self._running.apply(settings)
        for job in self._jobs:
            self._running.inbound.add(job)
        self._running.inbound.add(self._sweep, after=SWEEP_AFTER)
        mailboxes, ways_out = self._running.counts
        events.daemon_started(
            version=__version__,
            conf=str(self._conf),
            state=str(settings.emaild.state_directory),
            mailboxes=mailboxes,
            ways_out=ways_out,
        )
        if not mailboxes and not ways_out:
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
        self._running.stop()
        for job in (self._sweep, *self._jobs):
            self._running.inbound.retire(job)
        until = self._clock.monotonic() + self._running.settings.emaild.drain_timeout
        unfinished = sum(self._drain(schedule, until) for schedule in self._running.schedules)
        while self._api is not None and not self._api.ended(LONGEST_NAP) and self._clock.monotonic() < until:
            self._notifier.alive()
        self._running.end()
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
        mailboxes, ways_out = self._running.counts
        return f"mailboxes: {mailboxes}, ways out: {ways_out}"

    def _interface(self) -> Api:
        """The HTTP interface. What it is made of takes a second to import, which nobody waits for who has no [api]."""
        if self._api is None:
            serving = importlib.import_module("emaild.api.serving")
            self._api = serving.Api(self._store, self._vitals, self._clock, self._running.poll)
        return self._api

    # Reload

    def _look(self) -> str:
        """The digest of what lies there; from now on watched, too, for it may be refused and mended."""
        reading = read_files(self._conf)
        secrets = self._running.settings.secret_files
        self._watch.follow(self._conf, (*reading.watched, *secrets))
        return reading.digest(secrets)

    def _touched(self) -> None:
        self._reloader.touch()
        self._awake.put(None)

    def _reload_if_due(self) -> None:
        if self._reloader.due_in() == 0.0 and self._reloader.wanted():
            self._notifier.reloading()
            self._reload()
            if self._reloader.was_asked:  # who sends SIGHUP may have put right what no conf file shows
                self._running.try_failing()
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
        late = _needs_restart(self._running.settings, settings)
        known = {warning.text for warning in self._running.settings.warnings}
        set_up(settings.log)
        applied = self._running.apply(settings)
        self._running.inbound.wake(self._endings)
        if settings.api is not None or self._api is not None:
            self._interface().apply(settings)
        for warning in settings.warnings:
            if warning.text not in known:
                events.conf_warned(message=str(warning))
        events.reload_applied(keep=applied.kept, start=applied.started, stop=applied.stopped)
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
