"""The mailbox from which every program of the inbound benchmark reads, and what is measured of one that does."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.processes import Home

COMMIT = 50  # mails that the bare loops bring to the disk together


@dataclass(frozen=True)
class Mailbox:
    """A user's mailbox that nobody has read yet, and an empty folder for what is made of it."""

    server: Dovecot
    authority: Authority
    user: str
    mails: tuple[bytes, ...]
    files: int  # that hang at the mails
    home: Home


@dataclass(frozen=True)
class Took:
    """Seconds, and seconds of the processor in the program itself, without its servers."""

    seconds: float
    cpu: float


class Watch:
    """Takes the time of a block of code: `took` is there when it ends."""

    took: Took


@contextmanager
def timed() -> Iterator[Watch]:
    """The time of what is done inside, the programs that it ran and waited for included."""
    watch, begun, cpu = Watch(), time.perf_counter(), _cpu()
    yield watch
    watch.took = Took(time.perf_counter() - begun, _cpu() - cpu)


def _cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)
