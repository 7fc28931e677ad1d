"""The bell that is rung when mail is put into the outbox, so that the daemon looks at once.

A named pipe in the state directory, through which go the names of ways out, a line each. No mail depends on it: where
nobody hears it the daemon finds the mail by itself, when it looks the next time.
"""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

FILE = "outbox.bell"
AT_ONCE = select.PIPE_BUF  # bytes that no other process's come between (pipe(7))
MOST_HEARD = 64 << 10


class Bell:
    """The ringing end. Safe in any number of threads."""

    def __init__(self, directory: Path) -> None:
        """*directory* is that of the store."""
        self._path = directory / FILE

    def ring(self, ways: Collection[str]) -> None:
        """There is mail for these ways out. Never waits and never raises."""
        said = "".join(f"{way}\n" for way in ways).encode()
        if not 0 < len(said) <= AT_ONCE:
            return
        with suppress(OSError):  # no daemon runs; or it was rung a thousand times already, and will be heard
            # Opened anew each time: a descriptor that is kept, and closed by one thread while another writes, may be
            # that of another file by then.
            descriptor = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                os.write(descriptor, said)
            finally:
                os.close(descriptor)


class Heard:
    """The hearing end, of the only daemon."""

    def __init__(self, directory: Path) -> None:
        """Raises OSError where there can be no such pipe."""
        path = directory / FILE
        with suppress(FileNotFoundError):
            if not stat.S_ISFIFO(path.lstat().st_mode):
                path.unlink()
        with suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        # For writing, too: without anybody who could write, each read would return at once.
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)

    def wait(self) -> set[str]:
        """Wait until it rings. Returns for which ways out, as often as it rang meanwhile."""
        return {line.decode("utf-8", "replace") for line in os.read(self._descriptor, MOST_HEARD).splitlines()}

    def close(self) -> None:
        """Hear no more; nobody may be waiting."""
        os.close(self._descriptor)
