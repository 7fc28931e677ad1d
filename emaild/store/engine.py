"""Opening the store: one SQLite file in the state directory, several processes at once.

Write-ahead log, and synchronous=FULL: a commit that returned is on the disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, update
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from emaild.disk import sync
from emaild.errors import StateUnusable, StoreFailed, StoreTooNew
from emaild.store.bell import Bell
from emaild.store.commits import BUSY_SECONDS, Commits
from emaild.store.migrations import CURRENT, migrate
from emaild.store.schema import version

FILE = "emaild.db"


class Database:
    """The open store. Reading goes on beside writing; one thread of a process writes at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = _engine(path, BUSY_SECONDS)
        self._writer = _engine(path, 0)  # it waits by itself for others that write
        self._commits = Commits(self._writer, path.parent)
        self.bell = Bell(path.parent)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, on the disk when it ends; undone when it raises.

        Threads that write at the same time may share the commit: what raises is undone alone, and when the commit
        itself fails it fails for all of them.
        """
        with _failing(), self._commits.write() as connection:
            yield connection

    @contextmanager
    def telling(self, tell: Callable[[], None]) -> Iterator[None]:
        """Meanwhile *tell* is called after each commit of this process that gave numbers to interactions.

        It is called by the threads that write: it must be quick, and not raise.
        """
        self._commits.told.append(tell)
        try:
            yield
        finally:
            self._commits.told.remove(tell)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view."""
        with _failing(), self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.execute("BEGIN").close()
            try:
                yield connection
            finally:
                driver.execute("ROLLBACK").close()

    def close(self) -> None:
        """Let go of all connections."""
        self._commits.close()
        self._engine.dispose()
        self._writer.dispose()


@contextmanager
def _failing() -> Iterator[None]:
    """SQLite's passing troubles (full disk, locked, disk I/O) as ours."""
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as error:  # the latter of `Prepared` statements
        raise StoreFailed(str(getattr(error, "orig", error))) from error


def open_database(directory: Path, migrated: Callable[[int, int], None] = lambda old, new: None) -> Database:
    """The store in that state directory, made if it is not there, brought to today's schema.

    *migrated* is told the old and the new version.

    Raises:
        StateUnusable: the directory cannot be written, or the file is no store.
        StoreTooNew: a newer emaild wrote it.
    """
    path = directory / FILE
    make_directory(directory)
    try:
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise StateUnusable(refused(directory, error)) from error
    database = Database(path)
    try:
        _bring_up_to_date(database, migrated)
    except (SQLAlchemyError, StoreFailed) as error:
        database.close()
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise StateUnusable(f"{path}: {reason}; the store cannot be opened") from error
    except BaseException:
        database.close()
        raise
    return database


def make_directory(directory: Path) -> None:
    """Make the state directory, for nobody but us, unless it is there.

    Raises:
        StateUnusable: it cannot be made.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateUnusable(refused(directory, error)) from error


def refused(directory: Path, error: OSError) -> str:
    """One line about a state directory that the system does not let us use."""
    return (
        f"{directory}: {error.strerror}; the state directory must exist and belong to the user that emaild runs as"
        " ([emaild] state-directory names it)"
    )


def _engine(path: Path, patience: float) -> Engine:
    """Its connections wait for other processes that many seconds."""
    engine = create_engine(
        f"sqlite:///{path}",
        isolation_level="AUTOCOMMIT",  # transactions are begun by Database, as IMMEDIATE ones
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=8,
        max_overflow=64,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            f"busy_timeout = {patience * 1000:.0f}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    return engine


def _bring_up_to_date(database: Database, migrated: Callable[[int, int], None]) -> None:
    found = _version(database)
    if found == CURRENT:
        return
    with database.write() as connection:  # another process may have been quicker: look again inside
        found = _read_version(connection)
        if found > CURRENT:
            raise StoreTooNew(
                f"{database.path}: written by a newer emaild (store version {found}, this one knows"
                f" {CURRENT}); run that newer emaild, or restore a backup from before"
            )
        migrate(connection, found)
        if found == 0:
            connection.execute(insert(version).values(version=CURRENT))
        else:
            connection.execute(update(version).values(version=CURRENT))
    if 0 < found < CURRENT:
        migrated(found, CURRENT)


def _version(database: Database) -> int:
    with database.read() as connection:
        return _read_version(connection)


def _read_version(connection: Connection) -> int:
    if not inspect(connection).has_table(version.name):
        return 0
    return int(connection.execute(select(version.c.version)).scalar_one())


def back_up(source: Path, target: Path) -> None:
    """A consistent copy of a store that may be in use, complete on the disk when this returns.

    Raises:
        StateUnusable: either file cannot be used; nothing is left at *target* then.
    """
    partial = target.with_name(target.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        _copy(source, partial)
        sync(partial)
        partial.replace(target)
        sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise StateUnusable(f"cannot back up {source} to {target}: {error}") from error


def _copy(source: Path, target: Path) -> None:
    with _closing(source) as origin, _closing(target) as copy:
        # In one step: a commit of another process between two would begin the copy anew, again and again (SQLite,
        # sqlite3_backup_step). It is one reading, and with a write-ahead log commits go on beside that.
        origin.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE").close()
        verdict = copy.execute("PRAGMA quick_check").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"the copy is not sound: {verdict}")


@contextmanager
def _closing(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", timeout=BUSY_SECONDS, uri=True)  # not created
    try:
        yield connection
    finally:
        connection.close()
