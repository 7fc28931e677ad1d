"""Whether the store can be written, found out by writing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from emaild.errors import StoreFailed

NAME = "probe"  # of a row that means nothing


def write_to(path: Path, patience: float) -> None:
    """Commit a row that means nothing; waits at most *patience* seconds for whoever writes just now.

    It has a connection of its own: that of the daemon waits for longer.

    Raises:
        StoreFailed: it could not be written in that time.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", timeout=patience, uri=True)) as connection:
            connection.execute("PRAGMA synchronous = FULL").close()
            with connection:
                connection.execute("REPLACE INTO counter (name, value) VALUES (?, 0)", (NAME,))
    except sqlite3.Error as error:
        raise StoreFailed(str(error)) from error
