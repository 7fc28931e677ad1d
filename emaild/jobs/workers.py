"""Threads that take jobs from a schedule and run them, each inside one guard."""

from __future__ import annotations

import threading

from emaild.jobs.schedule import Job, Schedule
from emaild.log import events

AFTER_A_FAULT = 60.0  # seconds until a job that failed by our own fault is tried again


def start_workers(name: str, schedule: Schedule, count: int) -> list[threading.Thread]:
    """That many threads, until the schedule is stopped. They end with the process in any case."""
    names = [f"{name}-{number}" for number in range(1, count + 1)]
    threads = [threading.Thread(target=_work, args=(schedule,), name=one, daemon=True) for one in names]
    for thread in threads:
        thread.start()
    return threads


def _work(schedule: Schedule) -> None:
    while (job := schedule.take()) is not None:
        schedule.done(job, _guarded(job))


def _guarded(job: Job) -> float | None:
    """Run a job; whatever it raises is a fault of ours, told with its traceback, and harms no other job."""
    try:
        return job.run()
    except Exception:  # noqa: BLE001  (this is the one guard)
        events.job_failed(job=job.name)
        return AFTER_A_FAULT
