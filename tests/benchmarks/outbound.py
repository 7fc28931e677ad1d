"""How fast mail goes out: from durable submission to the last delivery, beside Postfix's queue and bare smtplib.

    python -m tests.benchmarks.outbound [--mails 2000] [--size 4096] [--rounds 3] [--only WORDS] [--json FILE]

Each way has the same smtp-sink, which keeps nothing and counts. Time runs from the first submission, by processes that
stand ready, to the last delivery (`whole`), and to the last submission that is on the disk (`submitted`). Postfix and
emaild have a queue of their own on the same file system, both with their defaults; smtplib and smtp-source have none,
and are the limit. `sending` begins with all mails queued and ends with the last; time runs from the first delivery.
The ways take turns, so that a busy moment of the machine is nobody's alone. Medians of the rounds, in mails a second.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from emaild.message import OutboundState
from emaild.store import open_store
from tests.benchmarks import outbound_programs as programs
from tests.benchmarks.figures import Figure, Table, aimed, beside, median, options, told
from tests.benchmarks.missing import needed, version_of
from tests.benchmarks.outbound_programs import CountingSink, Share, Work
from tests.daemon.harness import Emaild, smtp_section
from tests.servers.ports import LOOPBACK, ReservedPort
from tests.servers.postfix import Postfix
from tests.servers.wait import eventually

NEW_PROCESS = {"PYTHONPATH": str(Path(__file__).parents[2])}
LIMIT, RIVAL = "smtplib, 4 connections", "Postfix, 10 sessions"
FASTER = 1.5  # times of RIVAL
OF_LIMIT = 30  # percent of LIMIT


@dataclass(frozen=True)
class Took:
    """Seconds to the last delivery, and to the last submission on the disk; None: there is none."""

    whole: float | None
    submitted: float | None = None


Way = Callable[[Share], Took]


def measure(rounds: int, *, quick: bool = False) -> list[Table]:
    """The figures; *quick* for a few mails, which only shows that it works."""
    return tables(rounds, Share(20 if quick else 2000, 4096, 1), WAYS)


def tables(rounds: int, share: Share, ways: Mapping[str, Way]) -> list[Table]:
    """Those of these ways."""
    needed("postfix", "smtp-sink", "smtp-source", root=any(name.startswith("Postfix") for name in ways))
    taken: dict[str, list[Took]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(way(share))
    whole = _figures(share.mails, {name: [one.whole for one in found] for name, found in taken.items()})
    submitted = _figures(share.mails, {name: [one.submitted for one in found] for name, found in taken.items()})
    what = f"Mails of {share.size // 1024} KiB, SMTP at the end"
    return [
        Table(
            "Outbound",
            f"{what}: from the first submission to the last delivery.",
            _compared(whole),
            programs=(version_of("postfix", "Postfix"),),
        ),
        Table("Outbound, submission", f"{what}: from the first submission to the last on the disk.", tuple(submitted)),
    ]


def _figures(mails: int, seconds: Mapping[str, Sequence[float | None]]) -> list[Figure]:
    known = {name: [one for one in found if one is not None] for name, found in seconds.items()}
    return [median(name, "mails/s", (mails / one for one in found)) for name, found in known.items() if found]


def _compared(figures: Sequence[Figure]) -> tuple[Figure, ...]:
    """All beside Postfix, and what emaild does of bare smtplib, where these were measured."""
    by_name = {figure.name: figure for figure in figures}
    found = list(figures)
    if rival := by_name.get(RIVAL):
        found = [beside(one, rival) if one is not rival else one for one in found]
        aim = f"above {FASTER:g} times {RIVAL}"
        found = [aimed(one, aim, (one.ratio or 0) > FASTER) if _is_ours(one) else one for one in found]
    if limit := by_name.get(LIMIT):
        for one in filter(_is_ours, figures):
            shares = zip(one.rounds, limit.rounds, strict=True)
            share = median(f"{one.name}, of {LIMIT}", "%", [100 * each / bare for each, bare in shares])
            found.append(aimed(share, f"above {OF_LIMIT} %", share.value > OF_LIMIT))
    return tuple(found)


def _is_ours(figure: Figure) -> bool:
    return figure.name.startswith("emaild")


def main() -> None:
    arguments = options(__doc__)
    arguments.add_argument("--mails", type=int, default=2000)
    arguments.add_argument("--size", type=int, default=4096, help="bytes of a mail")
    arguments.add_argument("--only", default="", help="the ways whose names hold this")
    given = arguments.parse_args()
    ways = {name: way for name, way in WAYS.items() if given.only in name}
    told(tables(given.rounds, Share(given.mails, given.size, 1), ways), given.json)


# Without a queue


def straight(share: Share) -> Took:
    """smtp-source into smtp-sink."""
    with CountingSink() as sink:
        begun = time.perf_counter()
        programs.smtp_source(sink.smtp, share.mails, share.size, 4)
        return Took(sink.wait_for(share.mails) - begun)


def by_smtplib(share: Share) -> Took:
    with (
        CountingSink() as sink,
        programs.ready(programs.bare, [replace(share, threads=4, port=sink.smtp)]) as (barrier, _),
    ):
        barrier.wait()
        begun = time.perf_counter()
        return Took(sink.wait_for(share.mails) - begun)


# With a queue


def by_postfix(sessions: int) -> Way:
    def way(share: Share) -> Took:
        with CountingSink() as sink, Postfix(relay_to=sink.smtp, lifetime=300) as server:
            begun = time.perf_counter()
            programs.smtp_source(server.smtp, share.mails, share.size, sessions)
            submitted = time.perf_counter() - begun
            return Took(sink.wait_for(share.mails) - begun, submitted)

    return way


def by_emaild(work: Work, processes: int, threads: int) -> Way:
    """The running daemon, given mail by that many processes with so many threads each."""

    def way(share: Share) -> Took:
        with CountingSink() as sink, running(sink) as (daemon, api):
            shares = _shares(share, daemon, api, processes, threads)
            with programs.ready(work, shares) as (barrier, given):
                barrier.wait()
                begun = time.perf_counter()
                submitted = programs.ended(given) - begun
                whole = sink.wait_for(share.mails) - begun
            _all_sent(daemon, share.mails)
            return Took(whole, min(submitted, whole))

    return way


def submission(processes: int, threads: int) -> Way:
    """Into the store, while no daemon runs."""

    def way(share: Share) -> Took:
        with installed() as daemon:
            return Took(None, _filled(daemon, share, processes, threads))

    return way


def sending(share: Share) -> Took:
    """A full outbox, then the daemon starts."""
    with CountingSink() as sink, installed() as daemon:
        _filled(daemon, share, 1, 8)
        daemon.configure(smtp_section(sink.smtp))
        daemon.start(NEW_PROCESS, wait=False)
        begun = sink.wait_for(1)
        whole = sink.wait_for(share.mails) - begun
        _all_sent(daemon, share.mails)
        return Took(whole)


def _filled(daemon: Emaild, share: Share, processes: int, threads: int) -> float:
    open_store(daemon.home / "state").close()
    with programs.ready(programs.add, _shares(share, daemon, 0, processes, threads)) as (barrier, given):
        barrier.wait()
        begun = time.perf_counter()
        return programs.ended(given) - begun


@contextmanager
def installed() -> Iterator[Emaild]:
    """A daemon to be started; its conf file lies apart, as in an installation, for changes beside it are looked at."""
    with tempfile.TemporaryDirectory(prefix="emaild-benchmark-") as folder, Emaild(Path(folder)) as daemon:
        daemon.conf = Path(folder) / "conf" / "emaild.conf"
        daemon.conf.parent.mkdir()
        yield daemon


@contextmanager
def running(sink: CountingSink) -> Iterator[tuple[Emaild, int]]:
    """A daemon with defaults, and the port of its API."""
    port = ReservedPort()
    with installed() as daemon:
        daemon.configure(smtp_section(sink.smtp), f"[api]\nlisten = {LOOPBACK}:{port.number}\n")
        daemon.start(NEW_PROCESS)
        daemon.wait_for("api.started")
        yield daemon, port.number
    port.release()


def _shares(share: Share, daemon: Emaild, port: int, processes: int, threads: int) -> list[Share]:
    state = daemon.home / "state"
    token = (state / "api-token").read_text(encoding="ascii").strip() if port else ""
    each = replace(share, threads=threads, state=str(state), port=port, token=token)
    mails = [share.mails // processes + (number < share.mails % processes) for number in range(processes)]
    return [replace(each, mails=count) for count in mails]


def _all_sent(daemon: Emaild, mails: int) -> None:
    """The store knows of each that it was sent, and to nobody else."""
    eventually(lambda: len(daemon.sent()) == mails, within=30, what="the records of all mails")
    assert {entry.state for entry in daemon.sent()} == {OutboundState.SENT}


WAYS: dict[str, Way] = {
    "smtp-source, 4 sessions": straight,
    LIMIT: by_smtplib,
    "Postfix, 1 session": by_postfix(1),
    RIVAL: by_postfix(10),
    "emaild, 1 program": by_emaild(programs.add, 1, 1),
    "emaild, 1 program of 8 threads": by_emaild(programs.add, 1, 8),
    "emaild, 8 programs": by_emaild(programs.add, 8, 1),
    "emaild, HTTP, 1 connection": by_emaild(programs.post, 1, 1),
    "emaild, HTTP, 8 connections": by_emaild(programs.post, 1, 8),
    "submission, 1 thread": submission(1, 1),
    "submission, 8 threads": submission(1, 8),
    "submission, 8 programs": submission(8, 1),
    "sending": sending,
}


if __name__ == "__main__":
    main()
