"""An emaild whose clock a test moves forward: what lasts an hour is over at once."""

from __future__ import annotations

import os
from pathlib import Path

CLOCK = """
from datetime import timedelta

from emaild.clock import SystemClock

now, monotonic = SystemClock.now, SystemClock.monotonic


def ahead():
    with open({moved!r}, encoding="ascii") as file:
        return float(file.read())


SystemClock.now = lambda clock: now(clock) + timedelta(seconds=ahead())
SystemClock.monotonic = lambda clock: monotonic(clock) + ahead()
"""


class MovedClock:
    """`environment` is that in which emaild has this clock; only waits that have begun last as long as before."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._ahead = 0.0
        self._moved = folder / "seconds"
        self.advance(0)
        (folder / "sitecustomize.py").write_text(CLOCK.format(moved=str(self._moved)), encoding="utf-8")
        self.environment = {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}

    def advance(self, seconds: float) -> None:
        """Move it, all at once."""
        self._ahead += seconds
        new = self._moved.with_suffix(".new")
        new.write_text(str(self._ahead), encoding="ascii")
        new.replace(self._moved)
