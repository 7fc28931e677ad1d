"""The files of the state directory that hold secrets: written whole, for their owner alone, by one at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from emaild.disk import sync
from emaild.log import events

PAUSE = 0.1  # seconds between two looks at a lock
TOO_WIDE_FOLDER, TOO_WIDE_FILE = 0o022, 0o077
OWN_FOLDER, OWN_FILE = 0o700, 0o600

Stamp = tuple[int, int, int] | None
"""What tells one state of a file from another; None: it is not there."""


def stamp_of(path: Path) -> Stamp:
    """Another one after each change of that file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def make_folder(folder: Path) -> None:
    """Make it, if it is not there, so that it is after a loss of power, too."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=OWN_FOLDER)
        sync(folder.parent)


def check_folder(folder: Path) -> None:
    """See to it that nobody else can put files there.

    Raises:
        OSError: it is a symbolic link or no folder, or its rights cannot be set.
    """
    with contextlib.suppress(FileNotFoundError):
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise OSError(errno.ENOTDIR, f"{folder} must be a folder, and no symbolic link to one")
        _tighten(folder, found.st_mode, TOO_WIDE_FOLDER, OWN_FOLDER)


def check_file(path: Path) -> None:
    """See to it that nobody else can read it.

    Raises:
        OSError: its rights cannot be set.
    """
    with contextlib.suppress(FileNotFoundError):
        _tighten(path, path.stat().st_mode, TOO_WIDE_FILE, OWN_FILE)


def _tighten(path: Path, mode: int, too_wide: int, own: int) -> None:
    if not mode & too_wide:
        return
    try:
        path.chmod(own)
    except OSError as error:
        wrong = f"{path} has the rights {stat.S_IMODE(mode):o}, so others may use it; set them to {own:o}"
        raise OSError(error.errno, wrong) from error
    events.seal_tightened(path=str(path), mode=f"{stat.S_IMODE(mode):o}", now=f"{own:o}")


@contextlib.contextmanager
def locked(path: Path, enough: Callable[[], bool]) -> Iterator[None]:
    """Alone with that lock among all processes and threads.

    Raises:
        BlockingIOError: another one had it until *enough* said so. OSError: the file cannot be made.
    """
    with open(path, "ab", opener=_private) as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if enough():
                    raise
                time.sleep(PAUSE)
        yield


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
