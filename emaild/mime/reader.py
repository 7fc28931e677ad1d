"""A process that reads mails for the daemon: `python -m emaild.mime.reader MAILS SAID`.

MAILS and SAID are descriptors of two files, which the daemon has open, too; its standard input is a socket, on which
lines go both ways. It says first that it is ready, and of which version. For each line with a number, that many bytes
of MAILS are a pickle of mails and of the `Options` to read them by; the answer is a line with a number, and that many
bytes of SAID are a pickle of what each of them says, None where that fails: the daemon reads it by itself then, and so
meets the fault where it is dealt with. It ends when the daemon closes the socket.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Sequence
from typing import Any

from emaild import __version__
from emaild.mime.said import Options, Said, said_by

LINE = 0  # standard input
READY = f"ready {__version__}\n".encode()
ENOUGH = 64  # bytes of a line


def put(file: int, content: object) -> bytes:
    """Write the pickle of it to the beginning of the file; returns the line that tells of it.

    Raises:
        OSError: there is no room for it.
    """
    packed = memoryview(pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL))
    at = 0
    while at < len(packed):
        at += os.pwrite(file, packed[at:], at)
    os.ftruncate(file, at)
    return b"%d\n" % at


def taken(file: int, line: bytes) -> Any:
    """What `put` put there and told of with that line.

    Raises:
        ValueError: it is no such line. EOFError, pickle.UnpicklingError: the file holds something else.
    """
    return pickle.loads(os.pread(file, int(line), 0))  # noqa: S301 (the other process is ours, and writes nowhere else)


def main() -> None:
    """Read until the daemon says that it is enough, whatever signals come."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    mails, said = map(int, sys.argv[1:])
    os.write(LINE, READY)
    while line := os.read(LINE, ENOUGH):
        os.write(LINE, put(said, _read(*taken(mails, line))))


def _read(raws: Sequence[bytes], how: Options) -> list[Said | None]:
    found: list[Said | None] = []
    for raw in raws:
        try:
            found.append(said_by(raw, how))
        except Exception:  # noqa: BLE001 (the daemon will see for itself)
            found.append(None)
    return found


if __name__ == "__main__":
    main()
