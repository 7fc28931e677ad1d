"""What the HTTP interface takes with a million interactions stored, beside a bare route that has the same bytes ready.

    python -m tests.benchmarks.api [--sizes 1000,100000,1000000] [--rounds 3] [--json FILE]

For each size a store is filled (tests/benchmarks/api_store.py), and a daemon with `[api]` and no mailbox to read runs
on it. One program asks over one connection. The bare route is FastAPI's under uvicorn, as the daemon has them, and
gives back the bytes that the daemon gave. Things that are compared take turns within a round; medians of the rounds.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from emaild.store import open_store
from tests.benchmarks.api_asking import Program, Times, bare, timed, until_told
from tests.benchmarks.api_store import SECTION, fill, mail, name_of, taken
from tests.benchmarks.api_taking import Taking, taking
from tests.benchmarks.figures import Figure, Series, Table, beside, median, options, told
from tests.daemon.harness import Emaild, smtp_section
from tests.servers.ports import LOOPBACK, ReservedPort

BARE, MILLISECONDS = "bare route", "ms"
PROGRAMS = (1, 100)  # that wait
NEW_PROCESS = {"PYTHONPATH": str(Path(__file__).parents[2])}
STEP, STEPS = 100, 20  # what the daemon removes in one commit, and in one run
SECTIONS = f"""
[{SECTION}]
type = IMAP
server = localhost
mailbox = support@shop.example
password = secret
enable-client = false
[email-processing]
default-from-address = support@shop.example
"""
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Size:
    """How much is measured: interactions stored, requests of a kind, mails taken, times that programs wait."""

    stored: tuple[int, ...]
    requests: int
    mails: int
    waits: int


FULL = Size((10_000, 100_000, 1_000_000), requests=200, mails=2_000, waits=10)
QUICK = Size((40, 400), requests=3, mails=10, waits=1)


@dataclass(frozen=True)
class World:
    """A daemon with so many interactions, and a program that knows its token."""

    stored: int
    daemon: Emaild
    port: int
    token: str
    program: Program

    @property
    def state(self) -> Path:
        """Its state directory."""
        return self.daemon.home / "state"


Rounds = dict[str, list[float]]


def measure(rounds: int, *, quick: bool = False, stored: Sequence[int] = ()) -> list[Table]:
    """The figures; *quick*: so few that it only shows that it works. *stored*: how many interactions there are."""
    size = QUICK if quick else FULL
    stored = stored or size.stored
    asked: dict[int, Rounds] = {}
    whole: dict[int, Rounds] = {}
    waited: Rounds = {}
    for count in stored:
        with filled(count) as world:
            asked[count], whole[count] = defaultdict(list), defaultdict(list)
            for _ in range(rounds):
                _ask(world, size, asked[count])
                _look_at_whole(world, size, whole[count])
            if count == stored[-1]:
                waited = _wait(world, size, rounds)
    programs = tuple(f"{name} {version(name)}" for name in ("fastapi", "uvicorn", "sqlalchemy"))
    most = stored[-1]
    return [
        Table(
            f"API with {most:,} interactions",
            "One program over one connection: requests, each after the answer to the one before.",
            tuple(_figures(asked[most])),
            tuple(_series(asked, GROWING)),
            programs,
        ),
        Table(
            f"Long poll with {most:,} interactions",
            "From an interaction on the disk to the answer to programs that wait for one.",
            tuple(median(name, MILLISECONDS, found) for name, found in waited.items()),
        ),
        Table(
            f"A store of {most:,} interactions",
            "What else works on the whole store: the daemon, commands, taking mails, removing old ones.",
            tuple(median(name, name.rpartition(", ")[2], found) for name, found in whole[most].items()),
            tuple(_series(whole, WHOLE_GROWING)),
        ),
    ]


def _figures(found: Mapping[str, Sequence[float]]) -> Iterator[Figure]:
    for name, values in found.items():
        if name.startswith(BARE):
            continue
        figure = median(name, MILLISECONDS, values)
        other = f"{BARE}, {name}"
        yield beside(figure, median(BARE, MILLISECONDS, found[other])) if other in found else figure


def _series(found: Mapping[int, Rounds], names: Sequence[str]) -> Iterator[Series]:
    for name in names:
        points = tuple((float(count), statistics.median(rounds[name])) for count, rounds in found.items())
        yield Series(name, "stored interactions", MILLISECONDS, points)


@contextmanager
def filled(count: int) -> Iterator[World]:
    """A daemon that runs on a store of so many."""
    with tempfile.TemporaryDirectory(prefix="emaild-api-") as folder, ExitStack() as stack:
        port = ReservedPort()
        stack.callback(port.release)
        daemon = stack.enter_context(Emaild(Path(folder)))
        daemon.conf = Path(folder) / "conf" / "emaild.conf"
        daemon.conf.parent.mkdir()
        nowhere = smtp_section(1, connect_timeout="1s")
        daemon.configure(SECTIONS, nowhere, f"[api]\nlisten = {LOOPBACK}:{port.number}\n")
        fill(daemon.home / "state", daemon.conf, count)
        daemon.start(NEW_PROCESS)
        daemon.wait_for("api.started", within=60)
        token = (daemon.home / "state" / "api-token").read_text(encoding="ascii").strip()
        program = Program(port.number, token)
        stack.callback(program.close)
        yield World(count, daemon, port.number, token, program)


# Requests


def _paths(world: World) -> dict[str, str]:
    """What is read, by the name of its figure."""
    lists, one = "/v1/interactions", name_of(world.stored // 2 - world.stored // 2 % 20 + 19)  # with a file
    middle = world.stored // 2
    return {
        "first 100": f"{lists}?limit=100",
        "100 from the middle": f"{lists}?limit=100&after={middle}",
        "one from the middle": f"{lists}?limit=1&after={middle}",
        "NEW ones of a queue": f"{lists}?queue=queue-1&state=NEW&limit=10",
        "STOPPED ones": f"{lists}?state=STOPPED&limit=10",
        "of a mailbox": f"{lists}?mailbox={SECTION}-3&limit=10",
        "of a subtype": f"{lists}?subtype=InboundNew&limit=10",
        "of a thread": f"{lists}?thread_id={name_of(0)}",
        "answers to one": f"{lists}?parent_id={name_of(0)}",
        "of no queue": f"{lists}?queue=nothing",
        "of no mailbox": f"{lists}?mailbox=nothing",
        "of no such type": f"{lists}?type=Outbound",
        "of no such subtype": f"{lists}?subtype=InboundNDR",
        "in no such state": f"{lists}?state=PENDING",
        "one interaction": f"{lists}/{one}",
        "its mail": f"{lists}/{one}/raw",
        "its file": f"{lists}/{one}/attachments/0",
    }


GROWING = ("first 100", "100 from the middle", "of no mailbox", "one interaction", "a claim and its end, p50")
WHOLE_GROWING = ("a mail taken, ms", "emaild inbox --limit 20, ms", "100 old ones removed, ms")


def _ask(world: World, size: Size, found: Rounds) -> None:
    """One round: each thing, beside the bare route that gives the same."""
    paths = _paths(world)
    answers = {str(number): world.program.ask(path) for number, path in enumerate(paths.values())}
    with bare(answers) as port:
        other = Program(port)
        for (name, path), number in zip(paths.items(), answers, strict=True):
            ours = timed(size.requests, lambda _, path=path: world.program.ask(path))  # type: ignore[misc]
            theirs = timed(size.requests, lambda _, number=number: other.ask(f"/{number}"))  # type: ignore[misc]
            found[name].append(ours.at(50))
            found[f"{name}, p95"].append(ours.at(95))
            found[f"{BARE}, {name}"].append(theirs.at(50))
        other.close()
    for name, work in (("a claim and its end", _claim(world)), ("a mail put into the outbox", _post(world))):
        times = timed(size.requests, work)
        found[f"{name}, p50"].append(times.at(50))
        found[f"{name}, p95"].append(times.at(95))


def _claim(world: World) -> Callable[[int], object]:
    def claim(number: int) -> None:
        path = f"/v1/interactions/{name_of(world.stored // 3 + number)}"
        world.program.ask(path, method="PATCH", given={"state": "PENDING" if number % 2 else "NEW"})
        world.program.ask(path, method="PATCH", given={"state": "STOPPED"})

    return claim


def _post(world: World) -> Callable[[int], object]:
    def post(_: int) -> None:
        given = {
            "from": "support@shop.example",
            "to": ["ann@shop.example"],
            "subject": f"Answer {next(_numbers)}",
            "text": "It is on its way.",
        }
        world.program.ask("/v1/outbox", method="POST", given=given)

    return post


def _wait(world: World, size: Size, rounds: int) -> Rounds:
    """Beside the daemon, which finds what we store by looking, a process that answers programs and stores it itself."""
    found: Rounds = defaultdict(list)
    port = ReservedPort()
    conf = world.daemon.conf.with_name("taking.conf")
    conf.write_text(world.daemon.conf.read_text().replace(f"{LOOPBACK}:{world.port}", f"{LOOPBACK}:{port.number}"))
    conf.chmod(0o600)

    def elsewhere(key: str, raw: bytes) -> float:
        taken(world.state, world.daemon.conf, [(key, raw)])
        return time.monotonic()

    with taking(conf) as itself:
        ways = {"": (port.number, itself), ", stored by another process": (world.port, elsewhere)}
        for _, programs, (how, (asked, take)) in itertools.product(range(rounds), PROGRAMS, ways.items()):
            each = [seconds for _ in range(size.waits) for seconds in _waited(world, asked, programs, take)]
            for percent in (50, 95):
                found[f"{programs} waiting{how}, p{percent}"].append(Times(each).at(percent))
    port.release()
    return found


def _waited(world: World, port: int, programs: int, take: Taking) -> list[float]:
    after = world.program.got("/v1/interactions?limit=1&queue=nothing")["next"]
    name = f"waited.{next(_numbers)}"
    path = f"/v1/interactions?after={after}&wait=60"
    return asyncio.run(until_told(port, world.token, path, programs, lambda: take(name, mail(name, "ann@x.example"))))


# The whole store


def _look_at_whole(world: World, size: Size, found: Rounds) -> None:
    """One round: what works on the store beside programs."""
    daemon = world.daemon
    mails = [(f"{number}", mail(f"new.{number}", "ben@x.example")) for number in itertools.islice(_numbers, size.mails)]
    taking = [mails[start : start + 50] for start in range(0, len(mails), 50)]
    begun = time.perf_counter()
    taken(world.state, daemon.conf, *taking)
    found["a mail taken, ms"].append(1000 * (time.perf_counter() - begun) / len(mails))
    for name, arguments in (("inbox --limit 20", ("inbox", "--limit", "20", "--json")), ("check", ("check",))):
        begun = time.perf_counter()
        done = daemon.command(*arguments, environment=NEW_PROCESS)
        found[f"emaild {name}, ms"].append(1000 * (time.perf_counter() - begun))
        assert done.returncode == 0, done.stderr
    removals = _removals(world)
    found["100 old ones removed, ms"].append(1000 * statistics.median(removals))
    found["the longest of these commits, ms"].append(1000 * max(removals))
    found["memory of the daemon, MB"].append(daemon.memory() / 1e6)
    daemon.stop()
    begun = time.perf_counter()
    daemon.start(NEW_PROCESS)
    found["start of the daemon, ms"].append(1000 * (time.perf_counter() - begun))
    world.program.close()  # its connection is gone
    daemon.wait_for("api.started", count=1 + len(found["start of the daemon, ms"]), within=60)


def _removals(world: World) -> list[float]:
    """Seconds of each commit that removes old interactions, as the daemon does it."""
    store = open_store(world.state)
    oldest = next(iter(store.interactions.all(1))).received - timedelta(seconds=world.stored - STEP * STEPS)
    try:
        return list(timed(STEPS - 1, lambda _: store.interactions.prune(oldest, STEP)).each)
    finally:
        store.close()


def main() -> None:
    arguments = options(__doc__)
    arguments.add_argument("--sizes", default="", help="how many interactions are stored, as 1000,100000")
    arguments.add_argument("--quick", action="store_true", help="so few that it only shows that it works")
    given = arguments.parse_args()
    stored = [int(one) for one in given.sizes.split(",") if one]
    told(measure(given.rounds, quick=given.quick, stored=stored), given.json)


if __name__ == "__main__":
    main()
