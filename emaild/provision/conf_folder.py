"""The folder `conf.d`: made where it is missing, and locked, so that one process at a time changes files in it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import tempfile
import time
from pathlib import Path

from emaild.disk import NEW, sync
from emaild.errors import Conflict

PATIENCE = 10.0  # seconds that another may take
PAUSE = 0.1  # seconds between two looks at the lock
MOST_RIGHTS = 0o775


def opened_alone(folder: Path) -> tuple[int, bool]:
    """The folder opened, with nobody else in it until it is closed; and whether it was made for that, empty.

    It is made as the folder above is: with its owner, group and rights.

    Raises:
        Conflict: another process has it for longer than PATIENCE. OSError: it cannot be made, or not be read.
    """
    until = time.monotonic() + PATIENCE
    while True:
        made = _made(folder, until)
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:  # another process has just removed it again
            if time.monotonic() > until:
                raise
            continue
        try:
            _lock(descriptor, folder, until)
            if _is(folder, descriptor):
                return descriptor, made
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # another process made it at the same time, or has removed it: it is another folder now


def _made(folder: Path, until: float) -> bool:
    """Make the folder, with the rights of the one above, where it is missing; whether it was."""
    if folder.exists():
        return False
    above = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # One makes it at a time: a rename would put this one in the place of another's, as long as that is empty.
        _lock(above, folder, until)
        return not folder.exists() and _renamed(folder, os.fstat(above))
    finally:
        os.close(above)


def _renamed(folder: Path, above: os.stat_result) -> bool:
    made = tempfile.mkdtemp(dir=folder.parent, prefix=NEW)
    try:
        if os.geteuid() == 0:
            os.chown(made, above.st_uid, above.st_gid)
        os.chmod(made, (above.st_mode & MOST_RIGHTS) | stat.S_IRWXU)
        os.rename(made, folder)  # a daemon that saw it before it may read it would not watch it
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.rmdir(made)
        if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # a person was first
            return False
        raise
    sync(folder.parent)
    return True


def _is(folder: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _lock(descriptor: int, folder: Path, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise Conflict(f"{folder}: another command changes files there; try again when it is done") from None
            time.sleep(PAUSE)
