"""A log file: appended to, cut into segments, and rid of what is old."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from emaild.log import events
from emaild.settings.log import Expire, LogSection, Segment

News = Callable[[], None]
"""An event to let happen."""

STAMP = "%Y%m%d_%H%M%S"
ENDED = re.compile(r"\.(\d{8}_\d{6})_\d{3}\.log")
RIGHTS = 0o640  # lines name senders and recipients


class LogFile:
    """One file. Its segments that ended are NAME.20020507_181138_196.log after the time of their end in UTC.

    Whoever writes sees to it that nobody else does at the same time. `startup`: emaild has just started, and a segment
    begins with that where keep-startup-file says so.
    """

    def __init__(self, path: Path, *, startup: bool) -> None:
        self._path = path
        self._file: int | None = None
        self._torn = False  # a full disk cut off a line
        self._startup = startup  # the segment in use is the first since the start
        self._before = startup  # what is in the file is from before the start
        self._last: datetime | None = None
        self._looked: date | None = None
        self._failing = False
        self._lost = 0

    def follow(self, section: LogSection, header: str) -> None:
        """From now on do as *section* says; *header* is the first line of a new segment, or empty."""
        self._segment: Segment | None = section.segment
        self._expire: Expire | None = section.expire
        self._keep: int | None = section.keep_startup_file if section.segment else None
        self._header = header

    def write(self, line: str, level: str, when: datetime) -> News | None:
        """Append a line of that time. What comes back is to be told: that this fails now, or works again."""
        trouble = None
        try:
            self._tidy(when)
        except OSError as error:
            trouble = error  # the line is written all the same
        try:
            self._append(line.encode("utf-8", "replace") + b"\n")
            self._last = when
        except OSError as error:
            trouble = error
            self._lost += 1
            self.close()
        return self._news(trouble)

    def close(self) -> None:
        """Let go of the file; the next line opens it again."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None

    def _news(self, trouble: OSError | None) -> News | None:
        if trouble is not None and not self._failing:
            self._failing = True
            return partial(events.log_file_failed, file=str(self._path), reason=trouble.strerror or str(trouble))
        if trouble is None and self._failing:
            lost, self._lost, self._failing = self._lost, 0, False
            return partial(events.log_file_recovered, file=str(self._path), lost=lost)
        return None

    # Writing

    def _append(self, content: bytes) -> None:
        self._reopen()
        assert self._file is not None
        if self._torn:
            content = b"\n" + content
        while content:
            written = os.write(self._file, content)
            self._torn = written < len(content)
            content = content[written:]

    def _reopen(self) -> None:
        """The file of that name, which somebody may have moved or removed."""
        if self._file is not None and not self._is_there(self._file):
            self.close()
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, RIGHTS)
            if self._header and os.fstat(self._file).st_size == 0:
                os.write(self._file, self._header.encode() + b"\n")

    def _is_there(self, file: int) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(file))
        except FileNotFoundError:
            return False

    # Segments

    def _tidy(self, when: datetime) -> None:
        """End the segment if it is full, and remove what is old: after that, and once a day."""
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            status = None
        if status is not None and status.st_size and self._segment is not None and self._is_full(status, when):
            self.close()
            os.rename(self._path, self._end(when))
            self._looked = None
        self._before = False
        if self._looked != when.date():
            self._remove_old(when)
            self._looked = when.date()

    def _is_full(self, status: os.stat_result, when: datetime) -> bool:
        assert self._segment is not None
        if self._before and self._keep is not None:
            return True
        size = self._keep if self._startup and self._keep else self._segment.size
        if size:
            return status.st_size >= size
        seconds = self._segment.hours * 3600
        last = self._last.timestamp() if self._last else status.st_mtime
        return last // seconds != when.timestamp() // seconds

    def _end(self, when: datetime) -> Path:
        """What a segment that ended is called."""
        if self._startup and not self._before:
            self._startup = False
            if self._keep is not None:
                return self._named("startup.log")
        while True:
            stamp = when.astimezone(UTC)
            name = self._named(f"{stamp.strftime(STAMP)}_{stamp.microsecond // 1000:03}.log")
            if not name.exists():
                return name
            when += timedelta(milliseconds=1)

    def _named(self, ending: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{ending}")

    def _remove_old(self, when: datetime) -> None:
        if self._expire is None:
            return
        ended = {
            path: found[1]
            for path in self._path.parent.glob("*.log")
            if (found := ENDED.fullmatch(path.name.removeprefix(self._path.name)))
        }
        if self._expire.days:
            oldest = (when.astimezone(UTC) - timedelta(days=self._expire.days)).strftime(STAMP)
            gone = [path for path, stamp in ended.items() if stamp < oldest]
        else:
            newest_first = sorted(ended, key=lambda path: path.name, reverse=True)
            gone = newest_first[self._expire.files - 1 :]  # the one in use is one of them
        for path in gone:
            path.unlink(missing_ok=True)
