"""Files that are the old or the new one, whole, however early the run ends that writes them."""

from __future__ import annotations

import os
from pathlib import Path

from emaild.disk import written


def ready(file: Path) -> None:
    """Look whether `put` can write it, before hours of measuring.

    Raises:
        ValueError: it cannot: in its place is a folder or a device, or nothing can be written beside it.
    """
    folder = file.resolve().parent
    if (file.exists() and not file.is_file()) or not os.access(folder, os.W_OK):
        raise ValueError(f"{file} cannot be written")


def put(file: Path, text: str) -> None:
    """Write it, in the place of what was there.

    Raises:
        ValueError: as of `ready`.
        OSError: as of the file system. What was there is there then.
    """
    ready(file)
    file = file.resolve()
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
    with written(file.parent, text.encode()) as made:
        os.chmod(made, mode)
        os.replace(made, file)
