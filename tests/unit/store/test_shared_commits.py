"""Threads that write at the same time share a commit, and nothing else."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from emaild.errors import StoreFailed
from emaild.message import Outbound
from emaild.store import Store, open_store
from emaild.store.engine import FILE
from emaild.store.outbox import queue
from tests.clock import START
from tests.full_disk import no_more_bytes
from tests.samples import in_outbox, outbound
from tests.servers.wait import eventually
from tests.statements import statements

WRITERS = 6


def add_to(store: Store, mail: Outbound) -> None:
    store.outbox.add(mail, START)


@contextmanager
def all_at_once(
    store: Store, mails: list[Outbound], add: Callable[[Store, Outbound], None] = add_to
) -> Iterator[list[Future[None]]]:
    """Threads that add these mails, and have all come before the first has its turn."""
    with ThreadPoolExecutor(len(mails)) as threads:
        with store._database._commits._turn:
            futures = [threads.submit(add, store, mail) for mail in mails]
            eventually(lambda: store._database._commits._coming == len(mails))
        yield futures


def names(store: Store) -> set[str]:
    return {entry.id for entry in in_outbox(store)}


def test_what_several_threads_write_is_one_commit(store: Store) -> None:
    mails = [outbound() for _ in range(WRITERS)]
    with statements() as asked, all_at_once(store, mails) as futures:
        for future in futures:
            future.result(timeout=30)
    assert [one for one, _ in asked].count("COMMIT") == 1
    assert names(store) == {mail.id for mail in mails}


def test_what_raises_is_undone_alone(store: Store) -> None:
    mails = [outbound(raw=str(number).encode()) for number in range(WRITERS)]
    lost = {mail.id for mail in mails[1::2]}

    def add(store: Store, mail: Outbound) -> None:
        with store._database.write() as connection:
            queue(connection, mail, START)
            if mail.id in lost:
                raise LookupError(mail.id)

    with all_at_once(store, mails, add) as futures:
        failed = {mail.id for mail, future in zip(mails, futures, strict=True) if future.exception(timeout=30)}
    assert failed == lost
    assert names(store) == {mail.id for mail in mails} - lost


def test_nobody_is_told_of_success_before_the_commit(store: Store) -> None:
    mail, commits = outbound(), store._database._commits
    written, go_on = threading.Event(), threading.Event()

    def slowly() -> None:
        with store._database.write():
            written.set()
            assert go_on.wait(timeout=30)

    with ThreadPoolExecutor(2) as threads:
        with commits._turn:
            adding = threads.submit(store.outbox.add, mail, START)
            eventually(lambda: commits._coming == 1)
            last = threads.submit(slowly)
            eventually(lambda: commits._coming == 2)
        assert written.wait(timeout=30)
        before = adding.done(), names(store)
        go_on.set()
        last.result(timeout=30)
        adding.result(timeout=30)
    assert before == (False, set())
    assert names(store) == {mail.id}


def test_a_commit_that_the_disk_refuses_has_failed_for_all_of_them_and_the_next_works(store: Store) -> None:
    mails = [outbound(raw=os.urandom(5000)) for _ in range(WRITERS)]
    with no_more_bytes(), all_at_once(store, mails) as futures:
        errors = [future.exception(timeout=30) for future in futures]
    assert [type(error) for error in errors] == [StoreFailed] * WRITERS
    assert names(store) == set()
    store.outbox.add(mails[0], START)
    assert names(store) == {mails[0].id}


def test_a_writer_waits_for_another_process_and_no_longer_than_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, mail = open_store(tmp_path), outbound()
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as threads:
        adding = threads.submit(store.outbox.add, mail, START)
        eventually(store._database._commits._turn.locked)
        assert not adding.done()
        other.execute("COMMIT")
        adding.result(timeout=30)
    assert names(store) == {mail.id}
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr("emaild.store.commits.BUSY_SECONDS", 0)
    with pytest.raises(StoreFailed, match="locked"):
        store.outbox.add(outbound(), START)
    other.execute("ROLLBACK")
    other.close()
    store.outbox.add(outbound(), START)
    store.close()
