"""Which job runs when. The clock is moved by hand; nothing here waits for time."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from emaild.jobs.schedule import Schedule
from tests.clock import ManualClock
from tests.servers.wait import eventually


class Errand:
    """A job that only has a name and a host."""

    def __init__(self, name: str, host: str = "host") -> None:
        self.name = name
        self.host = host

    def __repr__(self) -> str:
        return self.name

    def run(self) -> float | None:
        return None


@pytest.fixture
def schedule(clock: ManualClock) -> Schedule:
    return Schedule(clock, per_host=2)


def taken(schedule: Schedule) -> list[str]:
    """The names of the jobs that are due now, in their order; none of them is done."""
    last = Errand("(last)", host="(nowhere)")
    schedule.add(last)
    names = []
    while (job := schedule.take()) is not last:
        assert job is not None
        names.append(job.name)
    schedule.retire(last)
    schedule.done(last, None)
    assert schedule.take() is last
    schedule.done(last, None)
    return names


def run(schedule: Schedule, job: Errand, after: float | None) -> None:
    """Take that job, which must be the next one, and be done with it."""
    assert schedule.take() is job
    schedule.done(job, after)


def test_jobs_come_in_the_order_in_which_they_are_due(schedule: Schedule, clock: ManualClock) -> None:
    for name, after in (("c", 3.0), ("a", 1.0), ("b", 2.0), ("d", 4.0)):
        schedule.add(Errand(name, host=name), after=after)
    clock.advance(3)
    assert taken(schedule) == ["a", "b", "c"]
    clock.advance(1)
    assert taken(schedule) == ["d"]


def test_jobs_that_are_due_at_once_come_in_the_order_in_which_they_were_added(schedule: Schedule) -> None:
    for name in ("b", "a", "c"):
        schedule.add(Errand(name, host=name))
    assert taken(schedule) == ["b", "a", "c"]


def test_a_job_is_due_again_after_the_time_that_it_asked_for(schedule: Schedule, clock: ManualClock) -> None:
    job = Errand("a")
    schedule.add(job)
    run(schedule, job, 30.0)
    clock.advance(29.9)
    assert taken(schedule) == []
    clock.advance(0.1)
    assert taken(schedule) == ["a"]


def test_a_job_that_asked_for_no_time_waits_to_be_woken(schedule: Schedule, clock: ManualClock) -> None:
    job = Errand("a")
    schedule.add(job)
    run(schedule, job, None)
    clock.advance(1e9)
    assert taken(schedule) == []
    schedule.wake(job)
    assert taken(schedule) == ["a"]


def test_a_woken_job_is_due_at_once_and_only_once(schedule: Schedule, clock: ManualClock) -> None:
    job = Errand("a")
    schedule.add(job, after=60)
    schedule.wake(job)
    schedule.wake(job)
    run(schedule, job, 3600.0)
    clock.advance(60)
    assert taken(schedule) == []


def test_a_job_that_is_woken_while_it_runs_runs_again_at_once(schedule: Schedule) -> None:
    job = Errand("a")
    schedule.add(job)
    assert schedule.take() is job
    schedule.wake(job)
    assert taken(schedule) == []
    schedule.done(job, 3600.0)
    run(schedule, job, 3600.0)
    assert taken(schedule) == []


def test_a_job_that_was_never_added_cannot_be_woken(schedule: Schedule) -> None:
    schedule.wake(Errand("a"))
    schedule.retire(Errand("a"))
    assert taken(schedule) == []


def test_only_so_many_jobs_of_a_host_run_at_once_and_others_pass_them(schedule: Schedule) -> None:
    jobs = [Errand(f"a{number}", host="a") for number in range(4)] + [Errand("b", host="b")]
    for job in jobs:
        schedule.add(job)
    assert taken(schedule) == ["a0", "a1", "b"]
    schedule.done(jobs[1], None)
    assert taken(schedule) == ["a2"]
    schedule.done(jobs[0], None)
    schedule.done(jobs[2], None)
    assert taken(schedule) == ["a3"]


def test_jobs_that_their_host_holds_back_keep_their_order(schedule: Schedule) -> None:
    jobs = [Errand(f"a{number}") for number in range(6)]
    for job in jobs:
        schedule.add(job)
    order = taken(schedule)
    for job in jobs[:4]:
        schedule.done(job, None)
        order += taken(schedule)
    assert order == [job.name for job in jobs]


def test_two_jobs_of_one_name_never_run_at_once(schedule: Schedule) -> None:
    old, new = Errand("a", host="x"), Errand("a", host="y")
    schedule.add(old)
    assert schedule.take() is old
    schedule.add(new)
    schedule.add(Errand("b"))
    assert taken(schedule) == ["b"]
    schedule.done(old, None)
    assert schedule.take() is new


def test_a_replaced_job_runs_once_more_before_the_one_that_takes_its_place(schedule: Schedule) -> None:
    old, new = Errand("a"), Errand("a")
    schedule.add(old)
    assert schedule.take() is old
    schedule.retire(old)
    schedule.add(new)
    assert taken(schedule) == []
    schedule.done(old, 60.0)
    run(schedule, old, None)
    run(schedule, new, None)
    assert taken(schedule) == []


def test_a_replaced_job_that_its_host_holds_back_is_waited_for_on_another_host(schedule: Schedule) -> None:
    busy = [Errand("b"), Errand("c")]
    old, new = Errand("a"), Errand("a", host="elsewhere")
    for job in (*busy, old):
        schedule.add(job)
    assert taken(schedule) == ["b", "c"]
    schedule.retire(old)
    schedule.add(new)
    assert taken(schedule) == []
    schedule.done(busy[0], None)
    run(schedule, old, None)
    run(schedule, new, None)


def test_a_retired_job_runs_once_more_and_is_forgotten(schedule: Schedule, clock: ManualClock) -> None:
    job = Errand("a")
    schedule.add(job, after=3600)
    schedule.retire(job)
    run(schedule, job, 1.0)
    clock.advance(10)
    schedule.wake(job)
    assert taken(schedule) == []


def test_a_job_that_waits_to_be_woken_can_be_retired(schedule: Schedule) -> None:
    job = Errand("a")
    schedule.add(job)
    run(schedule, job, None)
    schedule.retire(job)
    run(schedule, job, None)
    schedule.wake(job)
    assert taken(schedule) == []


def test_a_retired_job_that_its_host_holds_back_runs_when_there_is_room(schedule: Schedule) -> None:
    jobs = [Errand(f"a{number}") for number in range(3)]
    for job in jobs:
        schedule.add(job)
    assert taken(schedule) == ["a0", "a1"]
    schedule.retire(jobs[2])
    schedule.done(jobs[0], None)
    run(schedule, jobs[2], 0.0)
    assert taken(schedule) == []


def test_what_was_woken_ten_thousand_times_and_retired_leaves_nothing_behind(schedule: Schedule) -> None:
    job = Errand("a")
    schedule.add(job)
    for _ in range(10_000):
        run(schedule, job, None)
        schedule.wake(job)
    run(schedule, job, None)
    schedule.retire(job)
    run(schedule, job, None)
    forgotten = weakref.ref(job)
    del job
    gc.collect()
    assert forgotten() is None


def test_after_the_end_no_job_is_handed_out(schedule: Schedule) -> None:
    schedule.add(Errand("a"))
    schedule.stop()
    assert schedule.take() is None


def test_the_end_calls_back_whoever_waits_for_a_job(schedule: Schedule) -> None:
    handed_out: list[object] = []
    waiting = [threading.Thread(target=lambda: handed_out.append(schedule.take())) for _ in range(3)]
    for thread in waiting:
        thread.start()
    schedule.stop()
    for thread in waiting:
        thread.join(timeout=10)
    assert handed_out == [None] * 3


def test_how_many_jobs_are_left_is_known_when_there_is_no_time_left(schedule: Schedule) -> None:
    first, second = Errand("a"), Errand("b")
    schedule.add(first)
    schedule.add(second, after=3600)
    assert schedule.wait_until_empty(0) == 2
    schedule.retire(first)
    schedule.retire(second)
    run(schedule, first, None)
    assert schedule.wait_until_empty(0) == 1
    run(schedule, second, None)
    assert schedule.wait_until_empty(0) == 0


def test_whoever_waits_for_the_last_job_is_told_when_it_is_done(schedule: Schedule) -> None:
    job = Errand("a")
    schedule.add(job)
    schedule.retire(job)
    assert schedule.take() is job
    left: list[int] = []
    waiting = threading.Thread(target=lambda: left.append(schedule.wait_until_empty(60)))
    waiting.start()
    schedule.done(job, None)
    waiting.join(timeout=10)
    assert left == [0]


def test_a_worker_that_waits_takes_what_becomes_due(schedule: Schedule, clock: ManualClock) -> None:
    handed_out: list[object] = []
    worker = threading.Thread(target=lambda: handed_out.append(schedule.take()))
    job = Errand("a")
    schedule.add(job, after=3600)
    worker.start()
    clock.advance(3600)

    def looked_again() -> bool:
        schedule.time_has_passed()
        return bool(handed_out)

    eventually(looked_again)
    worker.join(timeout=10)
    assert handed_out == [job]


def test_a_job_is_awaited_while_another_is_due_that_no_worker_has_taken(schedule: Schedule, clock: ManualClock) -> None:
    first, second = Errand("first"), Errand("second", host="another")
    schedule.add(first)
    assert schedule.take() is first
    assert not schedule.is_awaited(first)
    schedule.add(second, after=5.0)
    assert not schedule.is_awaited(first)
    clock.advance(5)
    assert schedule.is_awaited(first)
    assert schedule.take() is second
    assert not schedule.is_awaited(first)


def test_a_job_is_awaited_by_those_of_its_host_that_wait_for_their_share(schedule: Schedule) -> None:
    jobs = [Errand(name) for name in ("a", "b", "c")]
    elsewhere = Errand("d", host="another")
    for job in (*jobs, elsewhere):
        schedule.add(job)
    assert [schedule.take() for _ in range(3)] == [*jobs[:2], elsewhere]
    assert schedule.is_awaited(jobs[0])
    assert not schedule.is_awaited(elsewhere)
