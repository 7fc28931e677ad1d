"""How many files and connections the process may have open (setrlimit(2), RLIMIT_NOFILE)."""

from __future__ import annotations

import contextlib
import resource

from emaild.log import events

BESIDE = 256  # the store's files, workers that read and send, the log; what [api] takes is a share of all


def make_room(connections: int) -> None:
    """Have room for so many connections that are kept, as far as the system lets us; where it does not, that is told.

    A login shell gives a program 1,024, of the many more that it may ask for.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + BESIDE
    if _holds(soft, needed):
        return
    with contextlib.suppress(OSError):  # a sandbox may forbid it
        most = needed if _holds(hard, needed) else hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    if not _holds(soft, needed):
        events.files_few(limit=soft, needed=needed)


def _holds(limit: int, needed: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= needed
