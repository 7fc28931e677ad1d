"""How long `emaild check`, a start and a reload of one section take, and what memory they need, with 1,000 sections.

    python -m tests.benchmarks.reload [--mailboxes 1000] [--rounds 3] [--json FILE]

The mailboxes lie on a real Dovecot and are read over POP3, once each; beside them a daemon with 10 of them. A reload is
timed from the moment at which the changed file is there until the mailbox of the changed section signs in again;
`reload-quiet`, the time that files must lie still, is part of that. A parser of the standard library that reads the
same files, and does nothing with them, is the bare engine of settings.
"""

from __future__ import annotations

import configparser
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from emaild.settings.load import load
from tests.benchmarks.figures import Series, Table, beside, median, options, told
from tests.benchmarks.missing import needed
from tests.daemon.harness import Emaild, pop3_section
from tests.servers.authority import Authority, new_authority
from tests.servers.dovecot import Dovecot
from tests.servers.wait import eventually

QUIET = 0.1  # seconds
NEW_PROCESS = {"PYTHONPATH": str(Path(__file__).parents[2])}
FEW, MANY = 10, 1000
CHECK, START, RELOAD = "emaild check", "start to all read once", f"reload to effect ({QUIET} s of it quiet)"
LOADED, PARSED = "settings loaded, CPU", "configparser, CPU"
CPU_RELOAD, MEMORY = "a reload, CPU of the daemon", "memory"
UNITS = {MEMORY: "MB"}
Rounds = dict[str, list[float]]


@dataclass(frozen=True)
class World:
    """A daemon with so many mailboxes."""

    mailboxes: int
    name: str
    daemon: Emaild
    dovecot: Dovecot
    authority: Authority

    @property
    def folder(self) -> Path:
        """Where the sections are, a file each."""
        return self.daemon.home / "conf.d"

    def user(self, number: int) -> str:
        """Whose mailbox a section reads."""
        return f"bench-{self.name}-{number}"

    def write(self, number: int, cycle: int) -> None:
        """A section that is looked into after so many seconds again."""
        section = pop3_section(
            f"pop-client-{number}", self.dovecot.pop3s, self.user(number), self.authority, cycle_time=f"{cycle}s"
        )
        (self.folder / f"{number:04}.conf").write_text(section, encoding="utf-8")


def measure(rounds: int, *, quick: bool = False, mailboxes: int = 0) -> list[Table]:
    """The figures; *quick*: with so few mailboxes that it only shows that it works."""
    needed("openssl", "dovecot")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sizes = (2, 5) if quick else (FEW, mailboxes or MANY)
    found: dict[int, Rounds] = {size: defaultdict(list) for size in sizes}
    with tempfile.TemporaryDirectory(prefix="emaild-benchmark-") as folder, ExitStack() as stack:
        authority = new_authority(Path(folder))
        dovecot = stack.enter_context(Dovecot(authority))
        worlds = [stack.enter_context(_world(Path(folder), size, dovecot, authority)) for size in sizes]
        for number in range(rounds):
            for world in worlds:
                _round(world, number, found[world.mailboxes])
    many = found[sizes[-1]]
    loaded, parsed = (median(name, "ms", many[name]) for name in (LOADED, PARSED))
    others = (median(name, UNITS.get(name, "ms"), many[name]) for name in (CHECK, START, RELOAD, CPU_RELOAD, MEMORY))
    return [
        Table(
            f"Reload with {sizes[-1]:,} mailboxes",
            "A section each, in a file each of conf.d; one of them is changed.",
            (beside(loaded, parsed), parsed, *others),
            tuple(_series(found)),
        )
    ]


def _series(found: Mapping[int, Rounds]) -> Iterator[Series]:
    for name in (CHECK, RELOAD, START):
        points = tuple((float(size), statistics.median(rounds[name])) for size, rounds in found.items())
        yield Series(name, "mailboxes", "ms", points)


@contextmanager
def _world(folder: Path, size: int, dovecot: Dovecot, authority: Authority) -> Iterator[World]:
    with Emaild(folder / f"{size}") as daemon:
        daemon.configure(head=f"reload-quiet = {QUIET}s")
        world = World(size, f"{size}", daemon, dovecot, authority)
        world.folder.mkdir()
        for number in range(size):
            world.write(number, 86000)
        yield world


def _round(world: World, turn: int, found: Rounds) -> None:
    daemon = world.daemon
    found[CHECK].append(_timed(lambda: daemon.command("check", environment=NEW_PROCESS)))
    found[LOADED].append(_timed(lambda: load(daemon.conf), time.process_time))
    found[PARSED].append(_timed(lambda: _parse(sorted(world.folder.iterdir())), time.process_time))
    found[START].append(_timed(lambda: _start(world)))
    number = turn % world.mailboxes
    user, reloads, cpu = world.user(number), daemon.count("reload.applied"), _cpu(daemon)
    before = len(world.dovecot.sessions(user))

    def reload() -> None:
        world.write(number, 85000 - turn)
        eventually(lambda: len(world.dovecot.sessions(user)) > before, within=60, what=user)

    found[RELOAD].append(_timed(reload))
    applied = daemon.wait_for("reload.applied", count=reloads + 1)
    found[CPU_RELOAD].append(1000 * (_cpu(daemon) - cpu))
    assert applied[-1]["keep"] == world.mailboxes - 1, applied[-1]
    found[MEMORY].append(daemon.memory() / 1e6)
    daemon.stop()
    shutil.rmtree(daemon.home / "state")  # the next round is a first one, too


def _start(world: World) -> None:
    """Start it, and wait until all mailboxes were read."""
    wanted = world.daemon.count("mailbox.first_contact") + world.mailboxes
    world.daemon.start(NEW_PROCESS)
    world.daemon.wait_for("mailbox.first_contact", count=wanted, within=300)


def _cpu(daemon: Emaild) -> float:
    """The seconds of CPU time that it took so far (proc(5))."""
    fields = Path(f"/proc/{daemon.process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _parse(files: Sequence[Path]) -> None:
    for file in files:
        configparser.RawConfigParser().read_string(file.read_text(encoding="utf-8"))


def _timed(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How many milliseconds it takes."""
    begun = clock()
    work()
    return 1000 * (clock() - begun)


def main() -> None:
    arguments = options(__doc__)
    arguments.add_argument("--mailboxes", type=int, default=MANY)
    arguments.add_argument("--quick", action="store_true", help="so few that it only shows that it works")
    given = arguments.parse_args()
    told(measure(given.rounds, quick=given.quick, mailboxes=given.mailboxes), given.json)


if __name__ == "__main__":
    main()
