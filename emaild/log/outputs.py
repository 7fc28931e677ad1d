"""Where lines go: to streams and files, each with what it takes and how its lines look."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TextIO

from emaild.log.files import News
from emaild.log.forms import Event, Form
from emaild.settings.log import LEVELS

WRITING = threading.Lock()  # one for all: settings that change hand files on from one log to the next

JOURNAL_VARIABLE = "JOURNAL_STREAM"  # systemd.exec(5): device and inode of the stream that leads to the journal
PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
ALARMS = ("error", "critical")
ABOUT_FILES = "log.file_failed"


class Sink(Protocol):
    """What takes lines."""

    def write(self, line: str, level: str, when: datetime) -> News | None:
        """A line, how grave it is, and its time. What comes back is an event that follows from it."""


class Stream:
    """A stream of this process. Under the journal each line carries its priority as `<N>` (sd-daemon(3)).

    A line that cannot be written is lost: a full disk under the log must not end the work.
    """

    def __init__(self, out: TextIO, *, buffered: bool = False) -> None:
        self._out = out
        self._buffered = buffered
        self._journal = leads_to_journal(out)

    def write(self, line: str, level: str, when: datetime) -> None:
        if self._journal:
            mark = f"<{PRIORITIES.get(level, 6)}>"
            line = "\n".join(mark + part for part in line.split("\n"))
        with contextlib.suppress(OSError, ValueError):
            self._out.write(line + "\n")
            if not self._buffered:
                self._out.flush()

    def flush(self) -> None:
        """Write what waits."""
        with contextlib.suppress(OSError, ValueError):
            self._out.flush()


def leads_to_journal(stream: TextIO) -> bool:
    """Whether what is written there is read by systemd's journal."""
    given = os.environ.get(JOURNAL_VARIABLE, "")
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return given == f"{status.st_dev}:{status.st_ino}"


@dataclass(frozen=True)
class Output:
    """One place that lines go to: from which of LEVELS on, how they look, and what takes them."""

    least: str
    form: Form
    sink: Sink

    def takes(self, event: Event) -> bool:
        """Whether an event is important enough for it."""
        level = "alarm" if event["level"] in ALARMS else event["kind"]
        return LEVELS.index(level) >= LEVELS.index(self.least)

    def write(self, event: Event) -> News | None:
        """Write it as a line."""
        line = self.form(event)
        with WRITING:
            return self.sink.write(line, event["level"], datetime.fromisoformat(event["timestamp"]))


def write(event: Event, outputs: Iterable[Output], last_resort: Output) -> None:
    """Write an event wherever it belongs; that a file cannot be written goes to the last resort too."""
    taking = [output for output in outputs if output.takes(event)]
    if event["event"] == ABOUT_FILES and all(output.sink is not last_resort.sink for output in taking):
        taking.append(last_resort)
    for told in [output.write(event) for output in taking]:
        if told is not None:
            told()
