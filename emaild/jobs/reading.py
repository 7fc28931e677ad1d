"""Mails read by another process while the daemon stores those before them.

All threads of a Python process have one processor between them, and reading takes half of what a mail costs. So where
more than a batch of a mailbox is taken, a process of our own reads each batch while the one before it is stored. It is
no more than a help: whatever goes wrong with it, the mails are read here, as those of all other mailboxes are.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from emaild.clock import Clock
from emaild.log import events
from emaild.message import Inbound
from emaild.mime import reader
from emaild.mime.said import Options, Said
from emaild.sources import BATCH_BYTES

PATIENCE = 10.0  # seconds for a batch, of which several are read in one; below drain-timeout as it usually is
LATE = 2.0  # seconds more for which it is waited for: it should have ended by itself
START = 60.0  # seconds that it may take to start
IDLE = 60.0  # seconds without mails after which it is ended
REST = 60.0  # seconds without it after it failed
END = 2.0  # seconds that it may take to end by itself

Batch = list[Inbound]


@dataclass(frozen=True)
class ReadAhead:
    """What mails say that were read before their turn, by their keys with the bytes that were read; and by what."""

    options: Options | None = None
    said: Mapping[str, tuple[bytes, Said]] = field(default_factory=dict)

    def of(self, inbound: Inbound, options: Options) -> Said | None:
        """What that mail says by these options; None: it is to be read, or was cut since."""
        raw, said = self.said.get(inbound.key, (b"", None))
        return said if raw is inbound.raw and self.options == options else None


NOTHING = ReadAhead()


class Reader:
    """That process; it is started when mails are there for it. Used by one thread at a time."""

    def __init__(self, clock: Clock, patience: float = PATIENCE) -> None:
        self.patience = patience
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._begun: Sequence[Inbound] = ()
        self._options: Options | None = None
        self._used = 0.0
        self._ready_by = 0.0
        self._count = 0
        self._not_before = 0.0

    @property
    def process(self) -> int | None:
        """The number of the process, None where there is none."""
        return self._process.pid if self._process else None

    def begin(self, mails: Sequence[Inbound], options: Options) -> bool:
        """Have these read from now on. False: they are not, for they are too large, or the process is not ready."""
        self._used = self._clock.monotonic()
        if sum(len(mail.raw) for mail in mails) > BATCH_BYTES:
            return False
        try:
            if not self._is_ready():
                return False
            self._line.sendall(reader.put(self._mails, ([mail.raw for mail in mails], options)))
        except Exception as error:  # noqa: BLE001 (whatever it is, the mails can be read here)
            self._failed(error)
            return False
        self._begun, self._options = tuple(mails), options
        return True

    def end(self) -> ReadAhead:
        """What the mails say that were begun, once they have been read; nothing of those that could not be."""
        mails, self._begun = self._begun, ()
        if not mails:
            return NOTHING
        try:
            found = zip(mails, reader.taken(self._said, self._hear(self.patience + LATE)), strict=True)
            read = {mail.key: (mail.raw, said) for mail, said in found if said is not None}
        except Exception as error:  # noqa: BLE001 (as above)
            self._failed(error)
            return NOTHING
        self._used = self._clock.monotonic()
        self._count += len(read)
        return ReadAhead(self._options, read)

    def rest(self) -> None:
        """End the process if it had nothing to read for long."""
        if self._process and self._clock.monotonic() - self._used >= IDLE:
            self.close()

    def drop(self) -> None:
        """Nobody waits for what was begun."""
        if self._begun:
            self._kill()

    def close(self) -> None:
        """End the process; the next mails start another."""
        process, self._process, self._begun, self._ready = self._process, None, (), False
        if process is None:
            return
        events.reader_ended(process=process.pid, mails=self._count)
        self._line.close()
        try:
            process.wait(END)
        except subprocess.TimeoutExpired:
            process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END)
        os.close(self._mails)
        os.close(self._said)

    def _is_ready(self) -> bool:
        if self._process is None:
            if self._clock.monotonic() < self._not_before:
                return False
            self._start()
        if not self._ready:
            try:
                if self._hear(0) != reader.READY:
                    raise EOFError("it is another emaild, which was put in the place of this one")
                self._ready = True
            except BlockingIOError:
                if self._clock.monotonic() >= self._ready_by:
                    raise TimeoutError("it does not start") from None
        return self._ready

    def _start(self) -> None:
        with contextlib.ExitStack() as failing:
            self._mails = os.memfd_create("emaild-mails")
            failing.callback(os.close, self._mails)
            self._said = os.memfd_create("emaild-said")
            failing.callback(os.close, self._said)
            self._line, theirs = socket.socketpair()
            failing.callback(self._line.close)
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603
                    # Its modules are the daemon's: with -P none of them lies in the working directory by chance.
                    [sys.executable, "-P", "-m", reader.__name__, *map(str, (self._mails, self._said, self.patience))],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    pass_fds=(self._mails, self._said),
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                    process_group=0,  # or Ctrl-C at a terminal would end it before the daemon has ended
                )
            failing.pop_all()
        self._ready_by, self._count = self._clock.monotonic() + START, 0
        events.reader_started(process=self._process.pid)

    def _hear(self, patience: float) -> bytes:
        """Its next line.

        Raises:
            OSError: none in so many seconds. EOFError: it has ended.
        """
        self._line.settimeout(patience)
        if line := self._line.recv(reader.ENOUGH):
            return line
        raise EOFError("it has ended")

    def _failed(self, error: Exception) -> None:
        events.reader_failed(reason=str(error) or type(error).__name__)
        self._not_before = self._clock.monotonic() + REST
        self._kill()

    def _kill(self) -> None:
        if self._process:
            self._process.kill()
        self.close()


class Readers:
    """The one reader of a daemon, lent to one mailbox after the other. Safe for any thread.

    *allowed* says whether there may be one now.
    """

    def __init__(self, clock: Clock, allowed: Callable[[], bool]) -> None:
        self._reader = Reader(clock)
        self._allowed = allowed
        self._lent = threading.Lock()

    def ahead(self, batches: Iterable[Batch], options: Callable[[], Options]) -> Iterator[tuple[Batch, ReadAhead]]:
        """These batches with what was read of them: of each while the caller was busy with the one before.

        So each comes when the one after it has come, and two are in memory, but no two that are large. Nothing was read
        of a batch where the reader is lent to another mailbox, or is not ready; then it comes at once.
        """
        if not self._allowed() or not self._lent.acquire(blocking=False):
            for batch in batches:
                yield batch, NOTHING
            return
        try:
            yield from _ahead(self._reader, batches, options)
        finally:
            self._reader.drop()
            self._lent.release()

    def rest(self) -> None:
        """To be called now and then: a reader without mails is ended after a while."""
        if self._lent.acquire(blocking=False):
            try:
                self._reader.rest()
            finally:
                self._lent.release()

    def close(self) -> None:
        """No mail is read any more. One that is lent ends with this process."""
        if self._lent.acquire(blocking=False):
            self._reader.close()


def _ahead(
    reader: Reader, batches: Iterable[Batch], options: Callable[[], Options]
) -> Iterator[tuple[Batch, ReadAhead]]:
    coming = iter(batches)
    waiting: Batch | None = None
    while True:
        try:
            batch = next(coming)
        except Exception as error:
            if waiting is not None:  # what came before a connection broke is given first
                yield waiting, reader.end()
            if isinstance(error, StopIteration):
                return
            raise
        read = reader.end()
        begun = reader.begin(batch, options())
        if waiting is not None:
            yield waiting, read
        waiting = batch if begun else None
        if not begun:
            yield batch, NOTHING
