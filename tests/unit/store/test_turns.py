"""Processes that write take turns: one that waits goes before one that has just written."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emaild.store import Store, open_store
from emaild.store.commits import Queue
from tests.clock import START
from tests.samples import in_outbox, outbound
from tests.servers.wait import eventually

AGAIN = 20


def is_taken(place: Queue) -> bool:
    """Whether somebody is the next."""
    if place.entered():
        place.leave()
        return False
    return True


def test_one_process_at_a_time_is_the_next(tmp_path: Path) -> None:
    one, other = Queue(tmp_path), Queue(tmp_path)
    assert one.entered()
    assert not other.entered()
    one.leave()
    assert other.entered()
    other.close()
    assert one.entered()
    one.close()


def test_who_writes_again_and_again_lets_in_who_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emaild.store.commits.COURTESY", 60.0)
    busy, waiting, look = open_store(tmp_path), open_store(tmp_path), Queue(tmp_path)
    order: list[str] = []

    def wait() -> None:
        with waiting._database.write():
            order.append("waiting")

    with ThreadPoolExecutor(1) as threads:
        for _ in range(AGAIN):
            with busy._database.write():
                waits = threads.submit(wait)
                eventually(lambda: is_taken(look))
                order.append("busy")
            with busy._database.write():
                order.append("busy again")
            waits.result(timeout=30)
    assert order == ["busy", "waiting", "busy again"] * AGAIN
    look.close()
    waiting.close()
    busy.close()


def test_one_that_hangs_in_the_queue_keeps_nobody_from_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emaild.store.commits.COURTESY", 0.01)
    store, hanging = open_store(tmp_path), Queue(tmp_path)
    assert hanging.entered()
    adding = threading.Thread(target=store.outbox.add, args=(outbound(), START), daemon=True)
    adding.start()
    adding.join(timeout=30)
    assert len(in_outbox(store)) == 1
    assert not Queue(tmp_path).entered()
    hanging.close()
    store.close()


def test_one_that_hangs_in_the_queue_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emaild.store.commits.COURTESY", 0.01)
    store, hanging = open_store(tmp_path), Queue(tmp_path)
    assert hanging.entered()
    store.outbox.add(outbound(), START)
    entered, asked = Queue.entered, 0

    def counted(place: Queue) -> bool:
        nonlocal asked
        asked += 1
        return entered(place)

    monkeypatch.setattr(Queue, "entered", counted)
    monkeypatch.setattr("emaild.store.commits.COURTESY", 60.0)
    for _ in range(10):
        store.outbox.add(outbound(), START)
    assert asked == 10
    hanging.leave()
    store.outbox.add(outbound(), START)
    assert entered(hanging)
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(store.outbox.add, outbound(), START)
        eventually(lambda: asked > 20)
        assert not waits.done()
        hanging.leave()
        waits.result(timeout=30)
    hanging.close()
    store.close()


def test_the_place_is_free_when_a_writer_has_begun_or_failed(tmp_path: Path) -> None:
    store, look = open_store(tmp_path), Queue(tmp_path)
    with store._database.write():
        assert not is_taken(look)
    assert not is_taken(look)
    look.close()
    store.close()


def test_a_place_that_cannot_be_locked_holds_nobody_up(tmp_path: Path) -> None:
    place = Queue(tmp_path / "missing")
    assert place.entered()
    place.leave()
    place.close()


def test_a_store_may_be_closed_twice_and_written_after(store: Store) -> None:
    store.close()
    store.close()
    store.outbox.add(outbound(), START)
    assert len(in_outbox(store)) == 1
