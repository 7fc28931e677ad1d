"""structlog, set up once a process and again when `[log]` changes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from emaild.clock import Clock
from emaild.log import events
from emaild.log.files import LogFile
from emaild.log.forms import OURS, Event, form_of, header_of
from emaild.log.lms import texts_of
from emaild.log.outputs import WRITING, Output, Stream, write
from emaild.log.thread import LogThread
from emaild.settings.log import STREAMS, LogSection, Verbosity
from emaild.settings.secret import MASK, Secret

KINDS = (Verbosity.DEBUG, Verbosity.TRACE, Verbosity.INTERACTION, Verbosity.STANDARD)


def set_up(section: LogSection, stream: TextIO | None = None) -> None:
    """From now on log as told: to the outputs of *section*, or, for a command, to *stream* alone."""
    before = _current()
    texts, fault = _texts(section)
    log = _Log(section, stream, texts, before)
    structlog.configure(
        processors=[
            _threshold(section.verbose),
            _mask,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            lambda logger, method, event: ((event,), {}),
        ],
        wrapper_class=structlog.BoundLogger,
        logger_factory=log,
        cache_logger_on_first_use=False,
    )
    if before is not None:
        before.close()
    if fault is not None:
        events.log_texts_failed(file=str(section.messagefile), reason=fault.strerror or str(fault))


def look_after(clock: Clock) -> None:
    """Write what waits for stdout, and make the check point that is due. To be called every second or so."""
    log = _current()
    if log is not None:
        log.look_after(clock)


class _Log:
    """What structlog hands masked events to. One stands until settings change."""

    def __init__(
        self, section: LogSection, stream: TextIO | None, texts: Mapping[int, str], before: _Log | None
    ) -> None:
        named = {} if stream else section.outputs
        self._hours = section.check_point if named else 0
        self.marked: float | None = before.marked if before else None
        self._stdout = Stream(sys.stdout, buffered=section.buffering)
        err = stream or sys.stderr
        self._stderr = Output("all", form_of(section, texts, terminal=err.isatty()), Stream(err))
        self.files: dict[str, LogFile] = {}
        for path in named:
            if path not in STREAMS:
                known = before.files.get(path) if before else None
                self.files[path] = known or LogFile(Path(path), startup=before is None)
                self.files[path].follow(section, header_of(section))
        self._outputs = [self._output(section, texts, name, least) for name, least in named.items()] or [self._stderr]
        self._thread = LogThread(self._write) if section.enable_thread and not stream else None

    def __call__(self, *args: object) -> _Log:
        return self

    def _output(self, section: LogSection, texts: Mapping[int, str], name: str, least: str) -> Output:
        if name == "stderr":
            return Output(least, self._stderr.form, self._stderr.sink)
        if name == "stdout":
            return Output(least, form_of(section, texts, terminal=sys.stdout.isatty()), self._stdout)
        return Output(least, form_of(section, texts, terminal=False), self.files[name])

    def take(self, event: Event) -> None:
        """Write an event, or have it written."""
        if self._thread is not None:
            self._thread.put(event)
        else:
            self._write(event)

    debug = info = warning = error = critical = take

    def _write(self, event: Event) -> None:
        write(event, self._outputs, self._stderr)

    def look_after(self, clock: Clock) -> None:
        self._stdout.flush()
        now = clock.monotonic()
        if self.marked is None:
            self.marked = now
        if self._hours and now - self.marked >= self._hours * 3600:
            self.marked = now
            events.log_check_point(time=clock.now().isoformat(timespec="seconds"))

    def close(self) -> None:
        """Write what waits, and let go of the files; one that still counts is opened again by its next line."""
        if self._thread is not None:
            self._thread.close()
        with WRITING:
            for file in self.files.values():
                file.close()


def _current() -> _Log | None:
    log = structlog.get_config()["logger_factory"]
    return log if isinstance(log, _Log) else None


def _texts(section: LogSection) -> tuple[dict[int, str], OSError | None]:
    if section.messagefile is None or section.message_format in OURS:
        return {}, None
    try:
        return texts_of(section.messagefile), None
    except OSError as error:
        return {}, error


def _threshold(verbose: Verbosity) -> Processor:
    """Drops what is less important than asked for."""
    least = len(KINDS) if verbose is Verbosity.NONE else KINDS.index(verbose) if verbose in KINDS else 0

    def drop(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        if KINDS.index(event["kind"]) < least:
            raise structlog.DropEvent
        return event

    return drop


def _mask(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A secret that slipped into an event is masked there too."""
    for name, value in event.items():
        if isinstance(value, Secret):
            event[name] = MASK
    return event
