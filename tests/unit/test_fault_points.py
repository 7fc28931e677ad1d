"""A fault point is a power failure where a test asks for one, and nothing otherwise."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from emaild.fault_points import VARIABLE, FaultPoint

PASSING = """
from emaild.fault_points import FaultPoint, reached
for number in range(3):
    for point in FaultPoint:
        reached(point)
        print(number, point.label, flush=True)
"""


def passed(kill_at: str | None) -> tuple[int, list[str]]:
    """How a process ended that goes through all points three times, and which it passed."""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    if kill_at is not None:
        environment[VARIABLE] = kill_at
    done = subprocess.run([sys.executable, "-c", PASSING], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("kill_at", [None, "", "nowhere", "inbound.stored:4"])
def test_nobody_dies_who_was_not_asked_to(kill_at: str | None) -> None:
    code, lines = passed(kill_at)
    assert (code, len(lines)) == (0, 3 * len(FaultPoint))


@pytest.mark.parametrize(
    ("kill_at", "before"), [("inbound.stored", "0 inbound.understanding"), ("inbound.fetched:3", "1 outbound.recorded")]
)
def test_a_process_dies_at_the_point_and_time_it_was_told(kill_at: str, before: str) -> None:
    code, lines = passed(kill_at)
    assert code == -signal.SIGKILL
    assert lines[-1] == before


def test_points_have_names_of_their_own() -> None:
    assert len({point.label for point in FaultPoint}) == len(FaultPoint)
