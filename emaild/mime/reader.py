"""A process that reads mails for the daemon: `python -m emaild.mime.reader MAILS SAID SECONDS`.

MAILS and SAID are descriptors of two files, which the daemon has open, too; its standard input is a socket, on which
lines go both ways. It says first that it is ready, and of which build. For each line with a number, that many bytes of
MAILS are a pickle of mails and of the `Options` to read them by; the answer is a line with a number, and that many
bytes of SAID are a pickle of what each of them says, None where that fails: the daemon reads it by itself then, and so
meets the fault where it is dealt with. It ends when the daemon closes the socket, or is not through with a batch in
so many seconds.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import emaild
from emaild.mime.said import Options, Said, said_by

LINE = 0  # standard input
ENOUGH = 128  # bytes of a line


def build() -> str:
    """Another one for each emaild that is put in the place of another while a daemon runs."""
    top = Path(emaild.__file__).parent
    files = ((path, path.stat()) for path in sorted(top.rglob("*.py")))
    told = [(str(path.relative_to(top)), stat.st_size, stat.st_mtime_ns) for path, stat in files]
    return hashlib.sha256(repr(told).encode()).hexdigest()


READY = f"ready {build()}\n".encode()  # worked out when the daemon starts


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
    """What `put` put there and told of with that line. Raises whatever it likes where that is not so."""
    return pickle.loads(os.pread(file, int(line), 0))  # noqa: S301 (the other process is ours, and writes nowhere else)


def main() -> None:
    """Read until the daemon says that it is enough, whatever signals come."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # the kernel shall end this process before the daemon where memory is short
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    mails, said, patience = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the daemon has ended
        os.write(LINE, READY)
        while line := os.read(LINE, ENOUGH):
            signal.setitimer(signal.ITIMER_REAL, patience)  # which ends it wherever it hangs, whoever waits
            answer = put(said, _read(*taken(mails, line)))
            signal.setitimer(signal.ITIMER_REAL, 0)
            os.write(LINE, answer)


def _read(raws: Sequence[bytes], options: Options) -> list[Said | None]:
    found: list[Said | None] = []
    for raw in raws:
        try:
            found.append(said_by(raw, options))
        except Exception:  # noqa: BLE001 (the daemon will see for itself)
            found.append(None)
    return found


if __name__ == "__main__":
    main()
