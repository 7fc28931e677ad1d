"""When to read the conf files again: after SIGHUP, or when they changed and then lay still."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from emaild.clock import Clock
from emaild.log import events
from emaild.settings.load import current_digest

CHANGES = ("created", "modified", "deleted", "moved", "closed")  # not "opened": our own reading would count


class FileWatch:
    """Tells of anything that happens in the folders of the conf files.

    Folders are watched, not files: an editor that renames a new file into place, and a symbolic link that is set
    anew (on the file or on a folder above it), never touch the file that was there.
    """

    def __init__(self, touched: Callable[[], None]) -> None:
        self._touched = touched
        self._observer: BaseObserver | None = None
        self._watched: list[Path] = []

    def follow(self, conf: Path) -> bool:
        """Watch these files from now on. Where the system cannot, that is told, and a SIGHUP still reloads.

        Returns:
            whether other folders are watched now than before, so that a change may have been missed in between.
        """
        wanted = folders(conf)
        if self._observer is not None and wanted == self._watched:
            return False
        self.stop()
        self._watched = wanted
        self._start(wanted)
        return True

    def _start(self, wanted: list[Path]) -> None:
        observer = Observer()
        handler = _Handler(self._touched)
        try:
            for folder in wanted:
                observer.schedule(handler, str(folder))
            observer.start()
        except OSError as error:
            observer.unschedule_all()
            events.watch_failed(reason=str(error))
            return
        self._observer = observer

    def stop(self) -> None:
        """Watch no more."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(timeout=5)
            self._observer = None


class _Handler(FileSystemEventHandler):
    def __init__(self, touched: Callable[[], None]) -> None:
        self._touched = touched

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in CHANGES:
            self._touched()


def folders(conf: Path) -> list[Path]:
    """Where a change can change what is read: the folder of the files, conf.d, and of each link on the way there."""
    home = conf if os.path.isdir(conf) else conf.parent
    found: dict[Path, None] = {}
    for start in (conf.absolute(), (home / "conf.d").absolute()):
        _follow(start, found)
    found[home.resolve()] = None
    return [folder for folder in (*found, home.resolve() / "conf.d") if os.path.isdir(folder)]


def _follow(path: Path, found: dict[Path, None], links: frozenset[Path] = frozenset()) -> None:
    """The folders that hold the path itself or a symbolic link which the path leads through; *links* led here."""
    found[path.parent] = None
    for part in (path, *path.parents):
        if part not in links and os.path.islink(part):  # links may lead round in a circle
            found[part.parent] = None
            _follow((part.parent / part.readlink()).absolute(), found, links | {part})


class Reloader:
    """Decides when to reload; what a reload does is given.

    `touch` and `ask` may come from any thread; `due` and `look` belong to the main thread.
    """

    def __init__(self, conf: Path, clock: Clock, quiet: float, current: Callable[[], str]) -> None:
        self._conf = conf
        self._clock = clock
        self._quiet = quiet
        self._current = current
        self._lock = threading.Lock()
        self._touched_at: float | None = None
        self._asked = False
        self._looked_at: str | None = None
        self._refused: str | None = None

    def touch(self) -> None:
        """A file may have changed."""
        with self._lock:
            self._touched_at = self._clock.monotonic()

    def ask(self) -> None:
        """Reload without waiting for quiet, changed or not."""
        self._asked = True  # no lock: signal handlers call this

    def due_in(self) -> float | None:
        """Seconds until it is to be looked; None while nothing happened."""
        if self._asked:
            return 0.0
        with self._lock:
            if self._touched_at is None:
                return None
            return max(0.0, self._touched_at + self._quiet - self._clock.monotonic())

    def wanted(self) -> bool:
        """Once it is due: whether the files are to be read, because it was asked for or they differ."""
        asked, self._asked = self._asked, False
        with self._lock:
            self._touched_at = None
        self._looked_at = current_digest(self._conf)
        return asked or self._looked_at not in (self._current(), self._refused)

    def refused(self) -> None:
        """What was last looked at is wrong: it is not told of again. What was written since then counts as new."""
        self._refused = self._looked_at

    def accepted(self) -> None:
        """What lies there now is in effect."""
        self._refused = None
