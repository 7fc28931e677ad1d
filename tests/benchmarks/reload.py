"""How long `emaild check` and a reload of one section take, and what memory they need, for 10 and for 1,000 mailboxes.

    python -m tests.benchmarks.reload [--mailboxes 1000] [--rounds 3]

The mailboxes lie on a real Dovecot and are read over POP3, once each. A reload is timed from the moment at which the
changed file is there until the mailbox of the changed section signs in again; `reload-quiet`, the time that files must
lie still, is part of that and shown beside it.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.daemon.harness import Emaild, pop3_section
from tests.servers.authority import Authority, new_authority
from tests.servers.dovecot import Dovecot
from tests.servers.wait import eventually

QUIET = 0.1  # seconds
FEW = 10


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--mailboxes", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="emaild-benchmark-") as folder:
        authority = new_authority(Path(folder))
        with Dovecot(authority) as dovecot:
            few = measured(Path(folder) / "few", dovecot, authority, FEW, given.rounds)
            many = measured(Path(folder) / "many", dovecot, authority, given.mailboxes, given.rounds)
    print(f"{'':32}{FEW:>10}{given.mailboxes:>10}     ratio")
    for name in few:
        print(f"{name:32}{few[name]:>10.2f}{many[name]:>10.2f}{many[name] / few[name]:>10.1f}")


def measured(home: Path, dovecot: Dovecot, authority: Authority, mailboxes: int, rounds: int) -> dict[str, float]:
    """The figures of a daemon with that many mailboxes; medians."""

    def section(number: int, cycle: int) -> str:
        user = f"bench-{home.name}-{number}"
        return pop3_section(f"pop-client-{number}", dovecot.pop3s, user, authority, cycle_time=f"{cycle}s")

    with Emaild(home) as daemon:
        daemon.configure(head=f"reload-quiet = {QUIET}s")
        more = home / "conf.d"
        more.mkdir()
        for number in range(mailboxes):
            (more / f"{number:04}.conf").write_text(section(number, 86000))
        checks = [timed(lambda: daemon.command("check")) for _ in range(rounds)]
        begun = time.monotonic()
        daemon.start()
        eventually(lambda: daemon.count("mailbox.first_contact") == mailboxes, within=300, what="all mailboxes")
        first_round = time.monotonic() - begun
        reloads = []
        for turn in range(rounds):
            number = turn % mailboxes
            user = f"bench-{home.name}-{number}"
            before = len(dovecot.sessions(user))
            (more / f"{number:04}.conf").write_text(section(number, 85000 - turn))
            begun = time.monotonic()
            _signed_in(dovecot, user, before)
            reloads.append(time.monotonic() - begun)
        memory = daemon.memory()
        kept = {event["keep"] for event in daemon.events("reload.applied")}
        assert kept == {mailboxes - 1}, kept
    return {
        "check, s": statistics.median(checks),
        f"reload to effect, s ({QUIET} quiet)": statistics.median(reloads),
        "start to all read once, s": first_round,
        "memory, MiB": memory / (1 << 20),
    }


def _signed_in(dovecot: Dovecot, user: str, before: int) -> None:
    eventually(lambda: len(dovecot.sessions(user)) > before, within=60, what=user)


def timed(work: Callable[[], object]) -> float:
    """How many seconds it takes."""
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    main()
