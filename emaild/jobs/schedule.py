"""Which job is to run when. Workers take what is due and say, when it is done, when it is due again."""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Protocol

from emaild.clock import Clock


class Job(Protocol):
    """Something that is done again and again."""

    @property
    def name(self) -> str:
        """Two jobs of one name never run at the same time."""

    @property
    def host(self) -> str:
        """What it talks to: only so many jobs of one host run at the same time."""

    def run(self) -> float | None:
        """Do it once. Returns seconds until the next time; None: not before it is woken."""


@dataclass(order=True)
class _Entry:
    due: float
    order: int
    job: Job = field(compare=False)
    again: bool = field(default=False, compare=False)  # woken while it ran
    retired: bool = field(default=False, compare=False)  # it runs once more and then never


class Schedule:
    """Jobs by the time at which they are due. Safe for any thread."""

    def __init__(self, clock: Clock, *, per_host: int) -> None:
        self._clock = clock
        self._per_host = per_host
        self._lock = threading.Lock()
        # One of the workers that have nothing to do waits for the next job's time. It wakes one of the others when it
        # takes a job: whatever happens wakes one thread, however many there are.
        self._timed = False
        self._due = threading.Condition(self._lock)
        self._spare = threading.Condition(self._lock)
        self._emptied = threading.Condition(self._lock)
        self._order = itertools.count()
        self._entries: dict[int, _Entry] = {}  # by the job's identity
        self._heap: list[_Entry] = []
        self._running: dict[str, _Entry] = {}
        self._leaving: Counter[str] = Counter()  # retired jobs by name: their namesakes wait for them
        self._hosts: dict[str, int] = {}
        self._held: dict[str, deque[_Entry]] = {}  # due, and their host has its share already
        self._blocked: dict[str, list[_Entry]] = {}  # due, and a namesake comes first
        self._stopped = False

    def add(self, job: Job, *, after: float = 0.0) -> None:
        """A new job, due after that many seconds."""
        with self._lock:
            entry = self._entries[id(job)] = _Entry(self._clock.monotonic() + after, next(self._order), job)
            self._push(entry)

    def wake(self, job: Job) -> None:
        """The job is due now; if it runs, once more when it is done. A job that is not here is none of ours."""
        with self._lock:
            entry = self._entries.get(id(job))
            if entry is None:
                return
            if self._running.get(job.name) is entry:
                entry.again = True
            elif entry.due > self._clock.monotonic():
                self._replace(entry, self._clock.monotonic())

    def retire(self, job: Job) -> None:
        """The job runs once more, as soon as it can and before its namesakes, to put things in order; then it goes."""
        with self._lock:
            entry = self._entries.get(id(job))
            if entry is not None and not entry.retired:
                entry.retired = True
                self._leaving[job.name] += 1
        self.wake(job)

    def take(self) -> Job | None:
        """Wait for a job that is due and take it; None when the schedule is stopped."""
        with self._lock:
            while not self._stopped:
                entry = self._pop_due()
                if entry is not None:
                    self._running[entry.job.name] = entry
                    self._hosts[entry.job.host] = self._hosts.get(entry.job.host, 0) + 1
                    if not self._timed:
                        self._spare.notify()
                    return entry.job
                if self._timed:
                    self._spare.wait()
                else:
                    self._timed = True
                    self._due.wait(self._pause())
                    self._timed = False
            return None

    def done(self, job: Job, after: float | None) -> None:
        """A taken job was run; it is due again after that many seconds, or when woken."""
        with self._lock:
            entry = self._running.pop(job.name)
            self._hosts[job.host] -= 1
            if not self._hosts[job.host]:
                del self._hosts[job.host]
            waiting = self._held.get(job.host)
            if waiting:
                self._push(waiting.popleft())
            for blocked in self._blocked.pop(job.name, ()):
                self._push(blocked)
            if entry.retired and not entry.again:
                del self._entries[id(job)]
                self._leaving -= Counter([job.name])  # and forget the name when none is left
            else:
                delay = 0.0 if entry.again else math.inf if after is None else after
                entry.again = False
                self._replace(entry, self._clock.monotonic() + delay)
            if not self._entries:
                self._emptied.notify_all()

    def is_awaited(self, job: Job) -> bool:
        """Whether others are due that wait for a worker, or for the share of this running job's host."""
        with self._lock:
            return bool(self._held.get(job.host)) or self._pause() == 0.0

    def stop(self) -> None:
        """Hand out no more jobs."""
        with self._lock:
            self._stopped = True
            self._due.notify_all()
            self._spare.notify_all()

    def wait_until_empty(self, seconds: float) -> int:
        """Wait until every job was retired and had its last run, for that long at most. Returns how many are left."""
        with self._lock:
            self._emptied.wait_for(lambda: not self._entries, timeout=seconds)
            return len(self._entries)

    def time_has_passed(self) -> None:
        """Look at the clock again: for whoever moves a clock of his own."""
        with self._lock:
            self._due.notify()

    def _push(self, entry: _Entry) -> None:
        """Onto the heap, unless it waits to be woken: void entries of that kind would stay there for good."""
        if not math.isinf(entry.due):
            heapq.heappush(self._heap, entry)
            if self._heap[0] is entry:
                self._due.notify()

    def _replace(self, entry: _Entry, due: float) -> None:
        """Put an entry at another time; the old one on the heap is known to be void by its identity."""
        renewed = _Entry(due, next(self._order), entry.job, entry.again, entry.retired)
        self._entries[id(entry.job)] = renewed
        self._push(renewed)

    def _pop_due(self) -> _Entry | None:
        """The next that may run. No entry that is due is left on the heap when there is none."""
        now = self._clock.monotonic()
        while self._heap and self._heap[0].due <= now:
            entry = heapq.heappop(self._heap)
            if self._entries.get(id(entry.job)) is not entry:
                continue  # replaced
            name = entry.job.name
            if name in self._running or (name in self._leaving and not entry.retired):
                self._blocked.setdefault(name, []).append(entry)
            elif self._hosts.get(entry.job.host, 0) >= self._per_host:
                self._held.setdefault(entry.job.host, deque()).append(entry)
            else:
                return entry
        return None

    def _pause(self) -> float | None:
        """Seconds until the next job is due."""
        return max(0.0, self._heap[0].due - self._clock.monotonic()) if self._heap else None
