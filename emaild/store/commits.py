"""Writing: what several threads write at once is one commit, for the disk takes as long for many as for one."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from emaild.errors import StoreFailed
from emaild.store.numbers import NUMBERED
from emaild.store.prepared import Prepared

BUSY_SECONDS = 30  # how long to wait for another process that writes
BUSY_STEP = 0.0002  # seconds between two looks; SQLite itself would sleep up to 0.1, many times what a commit takes
QUEUE_STEP = 0.001  # of those who are not the next, of whom there may be many
COURTESY = 1.0  # seconds for which a process goes behind one that came before it, for that may hang; spent once
MOST_TOGETHER = 64  # writers that share a commit
PATIENCE = 1.0  # seconds until a writer looks whether whoever was to end its commit is gone

SAVE, RELEASE, UNDO, COMMIT, ROLLBACK = (
    Prepared(text(one)) for one in ("SAVEPOINT part", "RELEASE part", "ROLLBACK TO part", "COMMIT", "ROLLBACK")
)


class Commits:
    """The commits of one process, one after the other."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        """*directory* is that of the store."""
        self._engine = engine
        self._queue = Queue(directory)
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._coming = 0  # threads that wait for their turn
        self._open: _Commit | None = None  # left to the next of them
        self._connection: Connection | None = None  # kept, for opening one takes longer than most commits
        self.told: list[Callable[[], None]] = []  # see `Database.telling`

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """As `Database.write`."""
        self._await_turn()
        try:
            commit, self._open = self._open or _Commit(self._ready(), self._queue), None
            try:
                with commit.part() as connection:
                    yield connection
            finally:
                if self._coming and 0 < commit.parts < MOST_TOGETHER and commit.error is None:
                    self._open = commit
                else:
                    self._end(commit)
        finally:
            self._turn.release()
        while not commit.ended.wait(PATIENCE):
            self._end_forgotten(commit)
        if commit.error is not None:
            raise StoreFailed(str(getattr(commit.error, "orig", commit.error))) from commit.error

    def _await_turn(self) -> None:
        with self._counting:
            self._coming += 1
        try:
            self._turn.acquire()
        finally:
            with self._counting:
                self._coming -= 1

    def _end_forgotten(self, commit: _Commit) -> None:
        with self._turn:
            if self._open is commit:
                self._open = None
                self._end(commit)

    def _ready(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _end(self, commit: _Commit) -> None:
        commit.end()
        if commit.error is not None:
            self._drop()
        elif commit.numbered:
            for tell in self.told[:]:
                tell()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Let go of the connection; nobody writes any more."""
        with self._turn:
            self._drop()
            self._queue.close()


class Queue:
    """The place of the next process that writes, for one at a time: a lock on the store's directory (flock(2)).

    SQLite does not know who waits. Without this a process that writes again and again would hardly let in another.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._descriptor: int | None = None
        self._courtesy = COURTESY

    def enter(self) -> None:
        """Wait for the place. Where another hangs in it, go on without: that costs the first of our commits alone."""
        came = time.monotonic()
        while not self.entered():
            if time.monotonic() - came >= self._courtesy:
                self._courtesy = 0.0
                return
            time.sleep(QUEUE_STEP)
        self._courtesy = COURTESY

    def entered(self) -> bool:
        """Whether the place is ours now, until `leave`."""
        with suppress(OSError):  # such as that of a file system without these locks: nobody queues there
            if self._descriptor is None:
                self._descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def leave(self) -> None:
        """The place is free; so it is, too, when this process ends."""
        if self._descriptor is not None:
            with suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Nobody of this process waits any more."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


class _Commit:
    """A transaction of one writer or several, a part each."""

    def __init__(self, connection: Connection, queue: Queue) -> None:
        self.parts = 0
        self.error: BaseException | None = None
        self.numbered = False  # it gave interactions their numbers, and is on the disk
        self.ended = threading.Event()
        self._connection = connection
        try:
            _begin(connection, queue)
        finally:
            queue.leave()

    @contextmanager
    def part(self) -> Iterator[Connection]:
        """What a writer writes; undone alone when that raises. The first one needs no savepoint for that."""
        connection, alone = self._connection, not self.parts
        if not alone:
            SAVE.execute(connection, {})
        try:
            yield connection
        except BaseException:
            if not alone:
                self._undo()
            raise
        if not alone:
            RELEASE.execute(connection, {})
        self.parts += 1

    def _undo(self) -> None:
        try:
            UNDO.execute(self._connection, {})
            RELEASE.execute(self._connection, {})
        except sqlite3.Error as error:  # SQLite has undone all of it by itself, as after some errors of the disk
            self.error = error

    def end(self) -> None:
        """Commit what was written, if anything was."""
        try:
            if self.parts and self.error is None:
                COMMIT.execute(self._connection, {})
                self.numbered = self._connection.info.pop(NUMBERED, False)
            else:
                self._roll_back()
        except sqlite3.Error as error:
            self.error = error
            self._roll_back()
        finally:
            self.ended.set()

    def _roll_back(self) -> None:
        # SQLite has done it by itself after some errors; Ctrl-C ends the connection.
        with suppress(sqlite3.Error, SQLAlchemyError):
            ROLLBACK.execute(self._connection, {})


def _begin(connection: Connection, queue: Queue) -> None:
    """Begin a transaction that writes, when other processes have ended theirs."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    came = time.monotonic()
    queue.enter()
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE").close()
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() - came >= BUSY_SECONDS:
                raise StoreFailed(str(error)) from error
        time.sleep(BUSY_STEP)
