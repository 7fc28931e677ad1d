"""Worker threads: each job inside one guard."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from emaild.jobs.schedule import Schedule
from emaild.jobs.workers import AFTER_A_FAULT, start_workers
from tests.clock import ManualClock
from tests.said import Said
from tests.servers.wait import eventually


class Work:
    """A job that does what it is told."""

    host = "host"

    def __init__(self, name: str, does: Callable[[], float | None]) -> None:
        self.name = name
        self.run = does


@pytest.fixture
def schedule(clock: ManualClock) -> Schedule:
    return Schedule(clock, per_host=10)


def alive(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(f"{name}-")]


def end(schedule: Schedule, name: str) -> None:
    schedule.stop()
    eventually(lambda: not alive(name))


def test_as_many_jobs_run_at_once_as_there_are_workers(schedule: Schedule) -> None:
    together = threading.Barrier(3)
    met: list[int] = []
    for number in range(3):
        schedule.add(Work(f"job {number}", lambda: met.append(together.wait(timeout=20))))
    start_workers("three", schedule, 3)
    eventually(lambda: len(met) == 3)
    end(schedule, "three")


def test_a_job_that_fails_by_our_fault_harms_no_other_and_is_tried_again(
    schedule: Schedule, clock: ManualClock, said: Said
) -> None:
    runs: list[str] = []

    def fault() -> float | None:
        runs.append("faulty")
        raise ZeroDivisionError("this is ours")

    schedule.add(Work("faulty", fault))
    schedule.add(Work("sound", lambda: runs.append("sound")))
    start_workers("one", schedule, 1)
    eventually(lambda: runs == ["faulty", "sound"])
    told = said.one("job.failed")
    assert (told["job"], told["level"]) == ("faulty", "error")
    assert "ZeroDivisionError: this is ours" in told["exception"]

    clock.advance(AFTER_A_FAULT)
    schedule.time_has_passed()
    eventually(lambda: runs == ["faulty", "sound", "faulty"])
    end(schedule, "one")
