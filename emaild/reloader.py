"""When to read the conf files again: after SIGHUP, or when they changed and then lay still."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from emaild.clock import Clock
from emaild.log import events

ANY = "*"  # stands for every name
CHANGES = ("created", "modified", "attrib", "deleted", "moved", "closed")  # not "opened": our own reading would count


class FileWatch(FileSystemEventHandler):
    """Tells of what happens to the conf files, and to the links and folders that lead to them.

    Folders are watched, not files: an editor that renames a new file into place, and a symbolic link that is set
    anew (on the file or on a folder above it), never touch the file that was there. Which folders these are may
    change with a link or a folder, so they are looked for again then; not for each of a thousand files. Of what else
    happens there, as to a log that lies beside the files, names alone are compared.
    """

    def __init__(self, touched: Callable[[], None]) -> None:
        self._touched = touched
        self._conf = Path()
        self._others: tuple[Path, ...] = ()
        self._names: dict[str, set[str]] = {}  # what matters in each folder; replaced as a whole
        self._changing = threading.Lock()
        self._observer: BaseObserver | None = None
        self._watches: dict[tuple[Path, int], ObservedWatch] = {}  # by path and inode: it may be another folder now

    def follow(self, conf: Path, others: tuple[Path, ...] = ()) -> bool:
        """Watch these files from now on, and *others* that they lead to.

        Where the system cannot, that is told, and a SIGHUP still reloads.

        Returns:
            whether some were not watched before, so that a change may have been missed.
        """
        self._conf, self._others = conf, others
        if self._observer is not None:
            with contextlib.suppress(OSError):
                return self._look_for_folders(self._observer)
            return True
        observer: BaseObserver | None = None
        try:
            observer = Observer()
            self._look_for_folders(observer)
            observer.start()
        except OSError as error:
            if observer is not None:
                observer.stop()
            self._watches.clear()
            events.watch_failed(reason=str(error))
            return False
        self._observer = observer
        return True

    def stop(self) -> None:
        """Watch no more."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(timeout=5)
            self._observer = None
            self._watches.clear()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """In the observer's thread."""
        if event.event_type not in CHANGES or not self._matters(event):
            return
        if self._observer is not None and _may_lead_elsewhere(event):
            with contextlib.suppress(OSError):  # of what vanishes meanwhile another event tells
                self._look_for_folders(self._observer)
        self._touched()

    def _matters(self, event: FileSystemEvent) -> bool:
        """Whether it happened to a name that leads to a file; that a folder was written to, those names tell."""
        names = self._names
        for path in filter(None, map(os.fsdecode, (event.src_path, event.dest_path))):
            if path in names:
                if event.event_type != "modified":
                    return True
                continue
            folder, name = os.path.split(path)
            wanted = names.get(folder, ANY)
            if ANY in wanted or name in wanted:
                return True
        return False

    def _look_for_folders(self, observer: BaseObserver) -> bool:
        """Watch what is to be watched now; whether any of it is new."""
        with self._changing:
            names = names_by_folder(self._conf, self._others)
            wanted = {(folder, folder.stat().st_ino) for folder in names}
            self._names = {str(folder): found for folder, found in names.items()}
            for gone in self._watches.keys() - wanted:
                observer.unschedule(self._watches.pop(gone))
            found = wanted - self._watches.keys()
            for new in found:
                self._watches[new] = observer.schedule(self, str(new[0]))
            return bool(found)


def _may_lead_elsewhere(event: FileSystemEvent) -> bool:
    """Whether it happened to a folder or a link. A link that is gone leaves a folder watched until the files are read;
    what a file leads to is known then, too."""
    return event.is_directory or any(os.path.islink(path) for path in (event.src_path, event.dest_path) if path)


def names_by_folder(conf: Path, others: tuple[Path, ...] = ()) -> dict[Path, set[str]]:
    """Where a change can change what is read: the folder of the files, conf.d, and of each link on the way there.

    None of them is a link itself: the system would watch the link and not the folder. With each is what matters in it:
    the names of the files and links; ANY for conf.d, and where a file is not there yet, which stands for a pattern's.
    """
    home = conf if os.path.isdir(conf) else conf.parent
    found: dict[Path, set[str]] = {home: {"emaild.conf", "conf.d"}, home / "conf.d": {ANY}}
    starts = [path.absolute() for path in (conf, home / "conf.d", *others)]
    for path in starts:
        found.setdefault(path.parent, set()).add(path.name if path == starts[1] or os.path.lexists(path) else ANY)
    # Of the files in one folder that are no links, one stands for all.
    for start in dict.fromkeys(path if os.path.islink(path) else path.parent for path in starts):
        _follow(start, found)
    real: dict[Path, set[str]] = {}
    for folder, names in found.items():
        real.setdefault(Path(os.path.realpath(folder)), set()).update(names)
    # One that may not be read cannot be watched; that it may be, the folder above tells.
    return {folder: names for folder, names in real.items() if os.path.isdir(folder) and os.access(folder, os.R_OK)}


def _follow(path: Path, found: dict[Path, set[str]], links: frozenset[Path] = frozenset()) -> None:
    """The folders that hold a symbolic link which the path leads through, or what it points to; *links* led here."""
    for part in (path, *path.parents):
        if part not in links and os.path.islink(part):  # links may lead round in a circle
            target = (part.parent / part.readlink()).absolute()
            for one in (part, target):
                found.setdefault(one.parent, set()).add(one.name)
            _follow(target, found, links | {part})


class Reloader:
    """Decides when to reload; what a reload does is given.

    *look* gives the digest of what lies there, *current* that of what is in effect. `touch` and `ask` may come from
    any thread; `due_in` and `wanted` belong to the main thread.
    """

    def __init__(self, look: Callable[[], str], clock: Clock, quiet: float, current: Callable[[], str]) -> None:
        self._look = look
        self._clock = clock
        self._quiet = quiet
        self._current = current
        self._lock = threading.Lock()
        self._touched_at: float | None = None
        self._asked = False
        self.was_asked = False  # by a person, the last time that it was wanted
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
        self.was_asked = asked = self._asked
        self._asked = False
        with self._lock:
            self._touched_at = None
        self._looked_at = self._look()
        return asked or self._looked_at not in (self._current(), self._refused)

    def refused(self) -> None:
        """What was last looked at is wrong: it is not told of again. What was written since then counts as new."""
        self._refused = self._looked_at

    def accepted(self) -> None:
        """What lies there now is in effect."""
        self._refused = None
