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


def test_a_job_that_becomes_due_wakes_few_workers_however_many_there_are(said: Said) -> None:
    class Looks(ManualClock):
        by_workers = 0

        def monotonic(self) -> float:
            self.by_workers += threading.current_thread().name.startswith("crowd-")
            return super().monotonic()

    clock, runs = Looks(), 0
    schedule = Schedule(clock, per_host=10)

    def count() -> None:
        nonlocal runs
        runs += 1

    job = Work("job", count)
    schedule.add(job)
    start_workers("crowd", schedule, 50)
    eventually(lambda: runs == 1)
    before = clock.by_workers
    for number in range(2, 102):
        schedule.wake(job)
        eventually(lambda number=number: runs == number)  # type: ignore[misc]
    assert clock.by_workers - before < 100 * 10 + 50  # the last of the fifty may only now have begun to wait
    end(schedule, "crowd")


def test_jobs_that_become_due_together_are_run_by_all_workers(clock: ManualClock, schedule: Schedule) -> None:
    together = threading.Barrier(5)
    met: list[int] = []
    for number in range(5):
        schedule.add(Work(f"job {number}", lambda: met.append(together.wait(timeout=20))), after=60)
    start_workers("five", schedule, 5)
    clock.advance(60)

    def all_met() -> bool:
        schedule.time_has_passed()
        return len(met) == 5

    eventually(all_met)
    end(schedule, "five")


def test_a_job_that_waits_for_its_namesake_keeps_no_other_from_its_worker(schedule: Schedule) -> None:
    begun, go = threading.Event(), threading.Event()
    runs: list[str] = []

    def slow() -> None:
        begun.set()
        assert go.wait(20)
        runs.append("old")

    schedule.add(Work("one", slow))
    start_workers("two", schedule, 2)
    assert begun.wait(20)
    schedule.add(Work("one", lambda: runs.append("new")))
    for name in ("other", "another"):
        schedule.add(Work(name, lambda name=name: runs.append(name)))  # type: ignore[misc]
        eventually(lambda name=name: name in runs)  # type: ignore[misc]
    assert runs == ["other", "another"]
    go.set()
    eventually(lambda: runs == ["other", "another", "old", "new"])
    end(schedule, "two")
