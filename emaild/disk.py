"""Files that are whole and on the disk, or not there at all, whenever the power fails."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

NEW = ".new-"


def sync(path: Path) -> None:
    """Wait until a file, or what was made or renamed in a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def written(folder: Path, content: bytes, prefix: str = NEW) -> Iterator[str]:
    """A new file of mode 0600 with that content, on the disk, to be renamed or linked inside; so is its name after it.

    Raises:
        OSError: as of the file system. Nothing is left then.
    """
    descriptor, made = tempfile.mkstemp(dir=folder, prefix=prefix)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield made
        sync(folder)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(made)
