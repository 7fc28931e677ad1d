"""Who waits for interactions hears at once of what the same process commits, and no more often than it can bear."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.concurrency import run_in_threadpool

from emaild.api import arrivals
from emaild.api.arrivals import Arrivals
from emaild.store import open_store
from tests.clock import START
from tests.samples import kept, outbound, taken
from tests.servers.wait import eventually
from tests.unit.api.conftest import World, serving

NEVER = 600.0  # seconds


@pytest.fixture
def world(tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A server that looks only when it hears of a commit, and may then look again at once."""
    monkeypatch.setattr(arrivals, "EVERY", NEVER)
    monkeypatch.setattr(arrivals, "PAUSE", 0.0)
    monkeypatch.setattr(arrivals, "PAUSE_EACH", 0.0)
    with serving(tmp_path, free_port()) as made:
        yield made


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For each look at the store, how many were told."""
    found: list[int] = []
    look = Arrivals._look

    async def counted(self: Arrivals) -> int:
        found.append(await look(self))
        return found[-1]

    monkeypatch.setattr(Arrivals, "_look", counted)
    return found


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def waiting(world: World, pool: ThreadPoolExecutor, queue: str = "awaited") -> Future[list[str]]:
    """A program that waits for interactions of a queue, and gets their ids."""
    before = world.arrivals.waiting

    def wait() -> list[str]:
        answer: dict[str, Any] = world.client.get(f"/v1/interactions?queue={queue}&wait=600").json()
        return [one["id"] for one in answer["interactions"]]

    asked = pool.submit(wait)
    world.wait_for_waiting(before + 1)
    return asked


def ended(world: World, asked: Future[list[str]]) -> list[str]:
    """What they are told who wait when the server ends."""
    world.api.stop()
    return asked.result(timeout=20)


def test_a_long_poll_hears_of_a_commit_of_its_process_without_looking(world: World, pool: ThreadPoolExecutor) -> None:
    asked = waiting(world, pool)
    world.put(queue="elsewhere")
    entry = world.put(queue="awaited")
    assert asked.result(timeout=20) == [entry.id]


def test_mail_that_is_taken_in_is_heard_of(world: World, pool: ThreadPoolExecutor) -> None:
    asked = waiting(world, pool, "inbound")
    inbound, entry = taken("collected")
    kept(world.store, "account", [(inbound, entry)])
    assert asked.result(timeout=20) == [entry.id]


def test_what_is_committed_during_a_look_is_not_missed(
    world: World, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Arrivals._look
    put: list[str] = []
    looks: list[int] = []

    async def looking(self: Arrivals) -> int:
        looks.append(told := await look(self))
        if len(looks) == 1:
            put.append(await run_in_threadpool(lambda: world.put(queue="awaited").id))
        return told

    asked = waiting(world, pool)
    monkeypatch.setattr(Arrivals, "_look", looking)
    world.put(queue="elsewhere")
    found = asked.result(timeout=20)
    eventually(lambda: put, within=20)  # the answer may be here before the one who put it there goes on
    assert found == put


def test_what_is_committed_in_a_pause_is_told_after_it(
    world: World, pool: ThreadPoolExecutor, looks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = waiting(world, pool)
    before = len(looks)
    monkeypatch.setattr(arrivals, "PAUSE", 0.5)
    world.put(queue="elsewhere")
    eventually(lambda: looks[before:] == [1])
    entry = world.put(queue="awaited")
    assert asked.result(timeout=20) == [entry.id]


@pytest.mark.parametrize("pause", ["PAUSE", "PAUSE_EACH"])
def test_who_waits_is_told_of_a_burst_once_and_then_after_a_pause(
    world: World, pool: ThreadPoolExecutor, looks: list[int], monkeypatch: pytest.MonkeyPatch, pause: str
) -> None:
    others = waiting(world, pool, "none")
    eventually(lambda: looks)  # the first is over
    before = len(looks)
    monkeypatch.setattr(arrivals, pause, NEVER)
    for _ in range(50):
        world.put(queue="burst")
    assert ended(world, others) == []
    assert looks[before:] == [1]


def test_commits_without_new_interactions_wake_nobody(world: World, pool: ThreadPoolExecutor, looks: list[int]) -> None:
    others = waiting(world, pool, "none")
    eventually(lambda: looks)  # the first is over
    before = len(looks)
    for _ in range(50):
        world.store.outbox.add(outbound("ann@example.com"), START)
    assert ended(world, others) == []
    assert looks[before:] == []


def test_what_another_process_commits_is_found_by_looking(
    world: World, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "EVERY", 0.05)
    asked = waiting(world, pool, "inbound")
    other = open_store(world.home / "state")  # its commits are heard by nobody, as those of another process
    inbound, entry = taken("elsewhere")
    kept(other, "account", [(inbound, entry)])
    other.close()
    assert asked.result(timeout=20) == [entry.id]


def test_nobody_is_told_of_commits_when_nobody_waits(world: World, pool: ThreadPoolExecutor) -> None:
    assert world.store._database._commits.told == []
    asked = waiting(world, pool)
    assert len(world.store._database._commits.told) == 1
    world.put(queue="awaited")
    asked.result(timeout=20)
    world.put()  # wakes the watcher, who finds nobody
    eventually(lambda: world.store._database._commits.told == [])
