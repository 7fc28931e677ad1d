"""structlog, set up once a process and again when `[log]` changes.

Lines go to standard error. Under systemd each carries its priority as `<N>` (sd-daemon(3)), so that
`journalctl -p err` works.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from emaild.settings.daemon import MessageFormat, Verbosity
from emaild.settings.secret import MASK, Secret

JOURNAL_VARIABLE = "JOURNAL_STREAM"  # systemd.exec(5): device and inode of the stream that leads to the journal
PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
KINDS = (Verbosity.DEBUG, Verbosity.TRACE, Verbosity.INTERACTION, Verbosity.STANDARD)


def set_up(verbose: Verbosity, message_format: MessageFormat, stream: TextIO | None = None) -> None:
    """From now on log as told, to *stream* or standard error."""
    out = stream or sys.stderr
    text = message_format is MessageFormat.TEXT or (message_format is MessageFormat.AUTOMATIC and out.isatty())
    structlog.configure(
        processors=[
            _threshold(verbose),
            _mask,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _in_order,
            _renderer(text=text, colors=out.isatty()),
            _prefix(journal=leads_to_journal(out)),
        ],
        wrapper_class=structlog.BoundLogger,
        logger_factory=lambda *_: _Writer(out),
        cache_logger_on_first_use=False,
    )


class _Writer:
    """Writes lines. One that cannot be written is lost: a full disk under the log must not end the work."""

    writing = threading.Lock()

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, line: str) -> None:
        with self.writing, contextlib.suppress(OSError, ValueError):
            self._out.write(line + "\n")
            self._out.flush()

    debug = info = warning = error = critical = write


def leads_to_journal(stream: TextIO) -> bool:
    """Whether what is written there is read by systemd's journal."""
    given = os.environ.get(JOURNAL_VARIABLE, "")
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return given == f"{status.st_dev}:{status.st_ino}"


def _threshold(verbose: Verbosity) -> Processor:
    """Drops what is less important than asked for. An event's kind never shows: its level does."""
    least = len(KINDS) if verbose is Verbosity.NONE else KINDS.index(verbose) if verbose in KINDS else 0

    def drop(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        if KINDS.index(event.pop("kind")) < least:
            raise structlog.DropEvent
        return event

    return drop


def _mask(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A secret that slipped into an event is masked there too."""
    for name, value in event.items():
        if isinstance(value, Secret):
            event[name] = MASK
    return event


def _in_order(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """When, how grave and what come first in a line."""
    first = {name: event.pop(name) for name in ("timestamp", "level", "event", "code")}
    return {**first, **event}


def _renderer(*, text: bool, colors: bool) -> Processor:
    if text:
        return structlog.dev.ConsoleRenderer(
            colors=colors, pad_event_to=24, exception_formatter=structlog.dev.plain_traceback
        )
    return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)


def _prefix(*, journal: bool) -> Processor:
    """Under the journal each line starts with its priority."""

    def add(logger: WrappedLogger, method: str, event: EventDict | str) -> str:
        line = str(event)
        if journal:
            mark = f"<{PRIORITIES.get(method, 6)}>"
            line = "\n".join(mark + part for part in line.split("\n"))
        return line

    return add


def say(level: str, kind: Verbosity, code: int, event: str, **fields: object) -> None:
    """Write one event. `log/events.py` is the only caller: what emaild can say stands there."""
    logger = structlog.get_logger()
    getattr(logger, level)(event, kind=kind, level=level, code=code, **fields)
