"""The floors of the house: an import points down, or stays in its room."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "emaild"

FLOORS = (
    {"errors", "message", "clock", "retry", "disk", "fault_points", "interrupts", "shipped", "small_tree"},
    {"settings", "log", "systemd", "supervisor"},
    {"net", "mime", "store", "render", "diagnosis"},
    {"sources", "sinks", "documents"},
    {"provision", "jobs", "reloader"},
    {"services"},
    {"api", "running"},
    {"daemon", "cli", "demo", "__main__"},
)
LEVELS = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}

# Within a floor a room may know these of its neighbours; strangers are the rooms that must not know each other.
NEIGHBOURS = {("log", "settings"), ("reloader", "jobs"), ("cli", "daemon"), ("cli", "demo"), ("demo", "cli")}
NEIGHBOURS |= {("__main__", "cli")}
STRANGERS = {("sources", "store"), ("sinks", "store")}
BAD_NAMES = ("util", "helper", "manager", "misc", "common")


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and the full name of everything imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{start}.{alias.name}") for alias in node.names)


def breaches(package: Path) -> list[str]:
    """What is wrong in that package, as `file:line: from -> to`."""
    found = []
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).with_suffix("").parts[0]
        if room == "__init__":
            continue
        where = path.relative_to(package)
        if room not in LEVELS:
            found.append(f"{where}:1: {room} is on no floor")
            continue
        for line, name in imported(ast.parse(path.read_text(encoding="utf-8"))):
            parts = name.split(".")
            if parts[0] == "":
                found.append(f"{where}:{line}: {name} does not say from which floor it comes")
                continue
            if parts[0] != "emaild" or len(parts) == 1 or parts[1] in ("__version__", room):
                continue
            if not allowed(room, parts[1]):
                found.append(f"{where}:{line}: {room} -> {parts[1]}")
    return found


def allowed(room: str, other: str) -> bool:
    """Whether one room may know the other."""
    if other not in LEVELS or (room, other) in STRANGERS:
        return False
    return LEVELS[other] < LEVELS[room] or (room, other) in NEIGHBOURS


def test_every_import_points_down() -> None:
    assert breaches(PACKAGE) == []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("errors", "from emaild.settings.load import load"),
        ("net", "from emaild.store.raw import digest"),
        ("mime", "import emaild.render.compose"),
        ("sources", "from emaild.store import Store"),
        ("jobs", "from emaild import daemon"),
        ("cellar", "import os"),
        ("jobs", "from ..daemon import Daemon"),
        ("jobs", "from . import schedule"),
        ("settings", "if True:\n    from emaild.log import events"),
        ("store", "def late():\n    import emaild.jobs.sweep"),
    ],
)
def test_an_import_that_points_up_is_found(room: str, line: str, tmp_path: Path) -> None:
    (tmp_path / room).mkdir()
    (tmp_path / room / "module.py").write_text(line, encoding="utf-8")
    assert len(breaches(tmp_path)) == 1


def late_imports(package: Path) -> list[str]:
    """Imports inside functions, as `file:line: what`."""
    inside = []
    for path in package.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                inside += [f"{path.name}:{line}: {name}" for line, name in imported(function)]
    return inside


def test_imports_stand_at_the_top_of_their_file(tmp_path: Path) -> None:
    assert late_imports(PACKAGE) == []
    (tmp_path / "late.py").write_text("class A:\n    def a(self):\n        import os\n", encoding="utf-8")
    assert late_imports(tmp_path) == ["late.py:3: os"]


def empty_names(package: Path) -> list[str]:
    """Folders, modules, classes and functions that are named for nothing."""
    names = [name for path in package.rglob("*") if path.suffix == ".py" or path.is_dir() for name in [path.stem]]
    for path in package.rglob("*.py"):
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        names += [
            node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, kinds)
        ]
    return sorted(name for name in names if any(bad in name.lower() for bad in BAD_NAMES))


def test_nothing_is_named_for_nothing(tmp_path: Path) -> None:
    assert empty_names(PACKAGE) == []
    (tmp_path / "utils").mkdir()
    (tmp_path / "utils/net_helpers.py").write_text("class JobManager:\n    def misc(self): ...\n", encoding="utf-8")
    assert empty_names(tmp_path) == ["JobManager", "misc", "net_helpers", "utils"]


def test_only_the_wiring_and_what_it_starts_make_threads() -> None:
    """The idle watch, workers, bell, log, HTTP; look-ups of names, trials, tokens, which hang; the demo has its own."""
    makers = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "threading.Thread(" in path.read_text(encoding="utf-8")
    }
    assert makers == {
        "api/serving.py",
        "net/idle.py",
        "net/race.py",
        "jobs/examine.py",
        "jobs/hearing.py",
        "net/oauth/apart.py",
        "jobs/workers.py",
        "log/thread.py",
        "demo/loopback.py",
        "provision/discover/parallel.py",
    }
