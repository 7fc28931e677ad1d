"""What was measured of many mailboxes, as tables."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.figures import Figure, Series, Table, aimed, beside, median
from tests.benchmarks.missing import version_of

OURS, BARE = "emaild", "bare client"
LATE = 5  # seconds by which a look may come after its time


@dataclass(frozen=True)
class Size:
    """How much is measured; times in seconds."""

    mailboxes: int
    fewer: tuple[int, ...]  # numbers of mailboxes that are held, too, to see how cost grows
    settling: float  # from the start to the beginning of rest
    rest: float  # long enough for each connection to hear from Dovecot that it is still there
    singles: int  # mails that come one by one
    cycle: int  # between two looks over POP3


FULL = Size(1000, fewer=(10, 100), settling=3.0, rest=125.0, singles=100, cycle=60)
QUICK = Size(5, fewer=(), settling=0.0, rest=0.2, singles=3, cycle=1)


@dataclass(frozen=True)
class Held:
    """What holding mailboxes costs: seconds from the start to all idle, megabytes, percent of a core."""

    start: float
    memory: float
    cpu: float


@dataclass(frozen=True)
class Delivered:
    """Seconds from delivery until single mails were there; until the last of one for each mailbox was."""

    singles: tuple[float, ...]
    burst: float


@dataclass(frozen=True)
class Polled:
    """Percent of a core, emaild's and poplib's, megabytes, and the most seconds between two looks into a mailbox."""

    cpu: float
    bare_cpu: float
    memory: float
    longest: float


Grown = Mapping[int, Mapping[str, Sequence[Held]]]
"""What was held, by the number of mailboxes and by who held them."""


def of_idle(size: Size, grown: Grown, delivered: Mapping[str, Sequence[Delivered]]) -> list[Table]:
    """Of mailboxes in IDLE."""
    many = f"{size.mailboxes:,} IMAP mailboxes over TLS, each in IDLE on one Dovecot"
    held = grown[size.mailboxes]

    def compared(what: str, unit: str, rounds: Callable[[str], Iterable[float]]) -> tuple[Figure, Figure]:
        bare, ours = (median(f"{name}, {what}", unit, rounds(name)) for name in (BARE, OURS))
        return beside(ours, bare), bare

    def single(percent: int) -> tuple[Figure, Figure]:
        return compared(
            f"a single mail, p{percent}",
            "ms",
            lambda name: [quantile(one.singles, percent) * 1000 for one in delivered[name]],
        )

    memory = compared("memory", "MB", lambda name: [one.memory for one in held[name]])
    cpu = compared("CPU at rest", "% of a core", lambda name: [one.cpu for one in held[name]])
    p50, p95 = single(50), single(95)
    burst = compared("a mail for each at once", "s", lambda name: [one.burst for one in delivered[name]])
    start = compared("start to all idle", "s", lambda name: [one.start for one in held[name]])
    return [
        Table(
            "Many mailboxes, memory",
            f"Resident memory with {many}.",
            (under(memory[0], 200), memory[1]),
            _series(grown, "memory, MB", lambda one: one.memory),
            versions(),
        ),
        Table(
            "Many mailboxes, at rest",
            f"CPU time while no mail comes, over {size.rest:g} s, with {many}, which says every two minutes that it is"
            " still there.",
            (under(cpu[0], 1), cpu[1]),
            _series(grown, "CPU, % of a core", lambda one: one.cpu),
            versions(),
        ),
        Table(
            "Many mailboxes, new mail",
            f"From delivery to the interaction on the disk, or to the fetched mail, with {many}, which waits half a"
            " second before it tells of a mail. Single mails for mailboxes spread over all; one for each at once, to"
            " the last; and from the start of the process until each was looked into and waits.",
            (*p50, under(p95[0], 800), p95[1], *burst, *start),
            programs=versions(),
        ),
    ]


def of_polling(size: Size, polled: Sequence[Polled]) -> Table:
    """Of mailboxes that are looked into by the clock."""
    bare = median("poplib, CPU", "% of a core", [one.bare_cpu for one in polled])
    longest = median("emaild, longest between two looks", "s", [one.longest for one in polled])
    return Table(
        "Many mailboxes, POP3",
        f"{size.mailboxes:,} mailboxes over TLS on one Dovecot, each looked into every {size.cycle} s.",
        (
            beside(median("emaild, CPU", "% of a core", [one.cpu for one in polled]), bare),
            bare,
            median("emaild, memory", "MB", [one.memory for one in polled]),
            under(longest, size.cycle + LATE),
        ),
        programs=versions(),
    )


def _series(grown: Grown, label: str, of: Callable[[Held], float]) -> tuple[Series, ...]:
    """How it grows with the number of mailboxes."""

    def points(name: str) -> Iterator[tuple[float, float]]:
        for mailboxes, held in sorted(grown.items()):
            yield mailboxes, statistics.median(of(one) for one in held[name])

    return tuple(Series(name, "idle mailboxes", label, tuple(points(name))) for name in (OURS, BARE))


def versions() -> tuple[str, ...]:
    """Of what was measured."""
    return (version_of("dovecot", "Dovecot"),)


def under(figure: Figure, most: float) -> Figure:
    """The figure with its aim."""
    return aimed(figure, f"under {most:g} {figure.unit}", figure.value < most)


def quantile(values: Sequence[float], percent: int) -> float:
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]
