"""One daemon on a state directory."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from emaild.errors import AlreadyRunning, StateUnusable
from emaild.store.engine import make_directory, refused

FILE = "daemon.lock"
TRIES, PAUSE = 20, 0.02  # a command that looks whether a daemon runs holds the lock for a moment


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold the state directory's lock: there is one daemon on it. The system frees it when the process ends.

    Raises:
        AlreadyRunning: another daemon holds it.
        StateUnusable: the directory cannot be used.
    """
    path = directory / FILE
    make_directory(directory)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateUnusable(refused(directory, error)) from error
    try:
        if not _locked(descriptor):
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            raise AlreadyRunning(
                f"{directory}: another emaild runs on this state directory (process {holder or 'unknown'}); stop it"
                " first, or give this one a state-directory of its own"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    for again in range(TRIES):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if again < TRIES - 1:
            time.sleep(PAUSE)
    return False


def daemon_runs(directory: Path) -> bool:
    """Whether a daemon holds the lock of the state directory. True where we may not look."""
    try:
        descriptor = os.open(directory / FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
