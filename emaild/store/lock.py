"""One daemon on a state directory."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from emaild.errors import AlreadyRunning, StateUnusable
from emaild.store.engine import make_directory, refused

FILE = "daemon.lock"


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
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            raise AlreadyRunning(
                f"{directory}: another emaild runs on this state directory (process {holder or 'unknown'}); stop it"
                " first, or give this one a state-directory of its own"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
