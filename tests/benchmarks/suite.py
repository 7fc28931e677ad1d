"""All benchmarks, one after the other, each in a process of its own; and what they ran on."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import resource
import signal
import sqlite3
import ssl
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import Table, as_json, from_json, save

MODULES = (
    "inbound",
    "outbound",
    "queued",
    "mailboxes",
    "reload",
    "understanding",
    "transcript",
    "date_format",
    "field_codes",
    "api",
)
PACKAGES = ("SQLAlchemy", "IMAPClient", "Jinja2", "Babel", "FastAPI", "uvicorn", "structlog")
MOST_ROUNDS = {"mailboxes": 1}  # a round takes a quarter of an hour, and has hundreds of deliveries
PATIENCE = 7200.0  # seconds for one module; a benchmark that hangs ends as a failure
END = 60.0  # seconds in which it may end its servers then


@dataclass(frozen=True)
class Run:
    """One run of the suite: when, on what, and what was measured."""

    date: str  # ISO 8601, UTC
    rounds: int
    machine: str
    programs: tuple[str, ...]  # that all of it ran on; each table has those that it compares
    tables: tuple[Table, ...]
    modules: tuple[str, ...] = ()  # whose tables these are
    failed: tuple[str, ...] = ()  # the modules that gave none

    def as_json(self) -> dict[str, Any]:
        """What `json.dumps` takes."""
        return {**vars(self), "tables": as_json(self.tables)}


def run_of(found: dict[str, Any]) -> Run:
    """The run that `Run.as_json` made that of."""
    lists = {name: tuple(found[name]) for name in ("programs", "modules", "failed")}
    return Run(found["date"], found["rounds"], found["machine"], tables=tuple(from_json(found["tables"])), **lists)


def run_in(file: Path) -> Run:
    """The run whose JSON that file has.

    Raises:
        OSError: it cannot be read.
        ValueError: it has not.
    """
    try:
        return run_of(json.loads(file.read_bytes()))
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"{file} is not what --json wrote") from error


def newest(runs: Iterable[Run]) -> list[Table]:
    """The tables of all runs, of each title the last."""
    return list({table.title: table for one in runs for table in one.tables}.values())


def without_figures(runs: Iterable[Run], before: Iterable[str] = ()) -> list[str]:
    """The modules that failed in these runs, or *before* them, and were not measured since."""
    failed = dict.fromkeys(before)
    for one in runs:
        failed = dict.fromkeys([*(name for name in failed if name not in one.modules), *one.failed])
    return list(failed)


def chosen(words: Sequence[str]) -> list[str]:
    """The modules whose names hold one of these words; all of them without words.

    Raises:
        ValueError: none holds one of them.
    """
    for word in words:
        if not any(word in name for name in MODULES):
            raise ValueError(f"no benchmark has {word!r} in its name; there are {', '.join(MODULES)}")
    return [name for name in MODULES if not words or any(word in name for word in words)]


def run(names: Sequence[str], rounds: int, *, quick: bool = False) -> Iterator[tuple[str, list[Table] | None]]:
    """Each of these modules with its tables when it has ended, or None where it failed."""
    for name in names:
        with tempfile.TemporaryDirectory(prefix="emaild-suite-") as folder:
            yield name, _measured(name, min(rounds, MOST_ROUNDS.get(name, rounds)), quick, Path(folder) / "tables.json")


def _measured(name: str, rounds: int, quick: bool, file: Path) -> list[Table] | None:
    process = multiprocessing.get_context("spawn").Process(target=_measure, args=(name, rounds, quick, file))
    process.start()
    try:
        process.join(PATIENCE)
    finally:
        process.terminate()
        process.join(END)
        process.kill()
        process.join()
    return from_json(json.loads(file.read_text(encoding="utf-8"))) if process.exitcode == 0 else None


def _measure(name: str, rounds: int, quick: bool, file: Path) -> None:
    """In the new process."""
    ends_in_order()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    before = _processors()
    tables = import_module(f"tests.benchmarks.{name}").measure(rounds, quick=quick)
    save([replace(table, stolen=stolen(before, _processors())) for table in tables], file)


def ends_in_order() -> None:
    """From now on the first SIGINT or SIGTERM ends this process as an error does, so that it ends what it started."""

    def end(number: int, _: object) -> None:
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, end)


def stolen(before: Sequence[int], after: Sequence[int]) -> float:
    """Percent of the time that was wanted between two readings of the first line of /proc/stat (proc(5))."""
    user, nice, system, _idle, _waiting, irq, softirq, steal = (
        late - early for early, late in zip(before[:8], after[:8], strict=True)
    )
    wanted = user + nice + system + irq + softirq + steal
    return 100 * steal / wanted if wanted else 0.0


def _processors() -> list[int]:
    first = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    return [int(field) for field in first.split()[1:]]


def today(rounds: int, found: Mapping[str, Sequence[Table] | None]) -> Run:
    """What `run` gave so far as a run of this moment on this machine."""
    given = {name: tables for name, tables in found.items() if tables is not None}
    return Run(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        rounds=rounds,
        machine=machine(),
        programs=tuple(_programs()),
        tables=tuple(table for tables in given.values() for table in tables),
        modules=tuple(given),
        failed=tuple(name for name in found if name not in given),
    )


def machine() -> str:
    """This machine in a line: processor, cores, memory, system, file system of what is measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    cores = len(os.sched_getaffinity(0))
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    return f"{_processor()}, {cores} cores, {memory:.0f} GiB, {system}, {_file_system(Path(tempfile.gettempdir()))}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _file_system(folder: Path) -> str:
    """The type of the mount that holds the folder (proc(5), mounts)."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    around = [(where, kind) for where, kind in mounts if folder.resolve().is_relative_to(where)]
    return max(around, key=lambda mount: len(mount[0]))[1]


def _programs() -> Iterator[str]:
    yield f"Python {platform.python_version()}"
    yield f"SQLite {sqlite3.sqlite_version}"
    yield ssl.OPENSSL_VERSION.rpartition(" ")[0].rsplit(" ", 2)[0]
    for package in PACKAGES:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            continue
