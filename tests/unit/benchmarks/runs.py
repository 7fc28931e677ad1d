"""Runs of the suite that never were, and the command of the suite."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tests.benchmarks import readme, suite
from tests.benchmarks.figures import Series, Table, aimed, beside, median

TOP = Path(__file__).parents[3]
RIVAL = median("rival", "mails/s", (90.0, 100.0, 2000.0))
OURS = aimed(beside(median("emaild", "mails/s", (150.0, 120.0, 151.2)), RIVAL), "above 1.25 times rival", True)
SLOW = aimed(median("start", "s", (0.12345,)), "under 0.1 s", False)
GROWTH = Series("memory", "mailboxes", "MB", ((10.0, 30.0), (1000.0, 90.0)))
TABLES = [Table("Inbound", "From here to there.", (RIVAL, OURS, SLOW), (GROWTH,), ("Rival 1.0", "sqlalchemy 2.1"))]
PROGRAMS = ("Python 3.11", "SQLAlchemy 2.1")
RUN = suite.Run("2026-11-22T10:00:00+00:00", 3, "Machine, 2 cores", PROGRAMS, tuple(TABLES), ("inbound",))
OLD = f"above\n{readme.BEGIN}Measured on 2026-10-01: elsewhere.\n\n**Old.** Words.\n\n| 5 |\n{readme.END}\nbelow\n"


def benchmarks(
    *arguments: object, folder: Path = TOP, environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """The command of the suite, run there."""
    command = [sys.executable, "-m", "tests.benchmarks", *map(str, arguments)]
    environment = {**environment, "PYTHONPATH": f"{folder}:{TOP}"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=110, check=False
    )


def table(title: str, about: str = "From here to there.") -> Table:
    return replace(TABLES[0], title=title, about=about)


def run(date: str, *tables: Table, modules: tuple[str, ...] = (), failed: tuple[str, ...] = ()) -> suite.Run:
    return replace(RUN, date=date, tables=tables, modules=modules, failed=failed)
