"""How many mailboxes one daemon holds: memory, CPU while nothing happens, and how soon a new mail is an interaction.

    python -m tests.benchmarks.mailboxes [--mailboxes 1000] [--rounds 3] [--json FILE]

The mailboxes lie on one Dovecot. Over IMAP each is held in IDLE on a TLS connection of its own, by emaild with its
defaults and by a bare client (imaplib and one selector) that keeps nothing. Single mails are put into mailboxes
spread over all, ten a second, and then one into each at once. Dovecot itself waits half a second before it tells.
Over POP3 each is looked into once a minute. The two take turns within a round; medians of the rounds.
"""

from __future__ import annotations

import resource
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from tests.benchmarks.figures import Table, options, told
from tests.benchmarks.mailboxes_programs import Holder, by_emaild, by_imaplib, poplib_seconds
from tests.benchmarks.mailboxes_tables import (
    BARE,
    FULL,
    OURS,
    QUICK,
    Delivered,
    Held,
    Polled,
    Size,
    of_idle,
    of_polling,
)
from tests.benchmarks.missing import needed
from tests.servers.authority import Authority, new_authority
from tests.servers.dovecot import Dovecot
from tests.servers.wait import eventually

PACE = 0.1  # seconds between two single mails
SHARE = 20  # connections of a Dovecot process: 1,000 need fewer inotify instances than an account has
PATIENCE = 600.0


def measure(rounds: int, *, quick: bool = False) -> list[Table]:
    """The tables; *quick*: so small that it only shows that it works."""
    return measured(QUICK if quick else FULL, rounds)


def measured(size: Size, rounds: int) -> list[Table]:
    """Those of that size."""
    needed("openssl", "dovecot")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with tempfile.TemporaryDirectory(prefix="emaild-benchmark-") as folder:
            authority = new_authority(Path(folder))
            with Dovecot(authority, connections_per_process=SHARE) as dovecot:
                return Bench(Path(folder), authority, dovecot, size).tables(rounds)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Bench:
    """The mailboxes on their server, and what is measured there."""

    def __init__(self, folder: Path, authority: Authority, dovecot: Dovecot, size: Size) -> None:
        self._folder = folder
        self._authority = authority
        self._dovecot = dovecot
        self._size = size
        self._runs = 0
        self._grown: dict[int, dict[str, list[Held]]] = {}  # by the number of mailboxes

    def tables(self, rounds: int) -> list[Table]:
        """All of them."""
        size = self._size
        held: dict[str, list[Held]] = {BARE: [], OURS: []}
        delivered: dict[str, list[Delivered]] = {BARE: [], OURS: []}
        for _ in range(rounds):
            for name in held:
                with self._holding(name, size.mailboxes) as (program, prefix):
                    held[name] += self._held(program)
                    delivered[name].append(self._delivered(program, prefix))
        self._grown[size.mailboxes] = held
        fewer = [(mailboxes, name) for mailboxes in size.fewer for name in held]
        with ExitStack() as stack:
            programs = [stack.enter_context(self._holding(name, mailboxes))[0] for mailboxes, name in fewer]
            for (mailboxes, name), one in zip(fewer, self._held(*programs) if programs else [], strict=True):
                self._grown.setdefault(mailboxes, {})[name] = [one]
        polled = [self._polled() for _ in range(rounds)]
        return [*of_idle(size, self._grown, delivered), of_polling(size, polled)]

    # Measuring

    @contextmanager
    def _holding(self, name: str, mailboxes: int) -> Iterator[tuple[Holder, str]]:
        self._runs += 1
        prefix = f"bench-{self._runs}-"
        by: Callable[..., AbstractContextManager[Holder]] = by_emaild if name == OURS else by_imaplib
        with by(self._folder / f"run-{self._runs}", self._dovecot, self._authority, prefix, mailboxes) as program:
            yield program, prefix

    def _held(self, *programs: Holder) -> list[Held]:
        """What each costs; at rest they do not disturb each other."""
        starts = []
        for program in programs:
            eventually(program.is_idle, within=PATIENCE, what="all mailboxes idle")
            starts.append(time.time() - program.begun)
        pause(self._size.settling)
        before, begun = [program.cpu() for program in programs], time.monotonic()
        pause(self._size.rest)
        share = 100 / (time.monotonic() - begun)
        return [
            Held(start, program.memory(), (program.cpu() - cpu) * share)
            for program, start, cpu in zip(programs, starts, before, strict=True)
        ]

    def _delivered(self, program: Holder, prefix: str) -> Delivered:
        size = self._size
        step = max(1, size.mailboxes // size.singles)
        single = self._drop(program, [f"{prefix}{turn * step % size.mailboxes}" for turn in range(size.singles)], PACE)
        burst = self._drop(program, [f"{prefix}{number}" for number in range(size.mailboxes)])
        first = min(begun for begun, _ in burst)
        return Delivered(tuple(at - begun for begun, at in single), max(at for _, at in burst) - first)

    def _drop(self, program: Holder, users: Sequence[str], pace: float = 0.0) -> list[tuple[float, float]]:
        """Put a mail into each mailbox. Returns when each was put there, and when the program had it."""
        begun: dict[str, float] = {}
        for user in users:
            identity = f"<{len(begun)}.{time.monotonic_ns()}@bench.example.com>"
            mail = f"From: ann@example.com\r\nSubject: one\r\nMessage-ID: {identity}\r\n\r\n{'text ' * 300}\r\n"
            begun[identity] = time.time()
            self._dovecot.drop(user, [mail.encode("ascii")])
            if pace:
                pause(pace)
        eventually(lambda: begun.keys() <= program.taken().keys(), within=PATIENCE, what="the mails")
        taken = program.taken()
        return [(at, taken[identity]) for identity, at in begun.items()]

    def _polled(self) -> Polled:
        self._runs += 1
        prefix, size = f"poll-{self._runs}-", self._size
        bare = poplib_seconds(self._dovecot, self._authority, f"bare-{prefix}", size.mailboxes)
        home = self._folder / f"run-{self._runs}"
        with by_emaild(home, self._dovecot, self._authority, prefix, size.mailboxes, cycle=size.cycle) as daemon:
            eventually(daemon.is_idle, within=PATIENCE, what="all mailboxes read")
            looks: dict[str, dict[float, None]] = defaultdict(dict)  # by mailbox, in their order

            def all_twice() -> bool:
                for name, when in daemon.looks().items():
                    looks[name][when] = None
                return all(len(times) > 1 for times in looks.values())

            all_twice()
            before, begun = daemon.cpu(), time.monotonic()
            pause(size.cycle)
            cpu = (daemon.cpu() - before) / (time.monotonic() - begun) * 100
            eventually(all_twice, within=PATIENCE, what="a second look into each mailbox")
            memory = daemon.memory()
        longest = max(later - earlier for times in looks.values() for earlier, later in pairwise(times))
        return Polled(cpu, bare / size.cycle * 100, memory, longest)


def pause(seconds: float) -> None:
    """Let that much time pass."""
    threading.Event().wait(seconds)


def main() -> None:
    arguments = options(__doc__)
    arguments.add_argument("--mailboxes", type=int, default=FULL.mailboxes)
    given = arguments.parse_args()
    told(measured(replace(FULL, mailboxes=given.mailboxes), given.rounds), given.json)


if __name__ == "__main__":
    main()
