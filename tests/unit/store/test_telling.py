"""Who asks for it is told of the commits of this process that give numbers to interactions, when others see them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from emaild.message import Understood
from emaild.store import Store
from emaild.store.writes import NewMail, Submission, Writes
from tests.clock import START
from tests.samples import kept, taken
from tests.servers.wait import eventually
from tests.unit.store.test_held import ACCOUNT, hold


def keep(store: Store) -> None:
    kept(store, ACCOUNT, [taken("1")])


def create(store: Store) -> None:
    inbound, entry = taken("2")
    store.writing.commit(Writes(created=(NewMail(interaction=entry, raw=inbound.raw),)), START)


def submit(store: Store) -> None:
    inbound, entry = taken("3")
    kept(store, ACCOUNT, [(inbound, entry)], submitted=False)
    store.writing.commit(Writes(), START, submissions=[Submission(id=entry.id)])


def release(store: Store) -> None:
    mail = hold(store, "4")
    inbound, entry = taken("4")
    assert store.held.release(mail, inbound.raw, Understood(interactions=(entry,), digest=entry.raw_digest))


@pytest.fixture
def numbers(store: Store) -> Iterator[list[int]]:
    """The last number that another connection sees, at each telling."""
    seen: list[int] = []

    def look() -> None:
        with closing(sqlite3.connect(store._database.path)) as connection:
            found = connection.execute("SELECT value FROM counter WHERE name = 'interaction'").fetchone()
            seen.append(found[0] if found else 0)

    with store.telling(look):
        yield seen


@pytest.mark.parametrize("write", [keep, create, submit, release])
def test_whoever_gives_numbers_to_interactions_tells_when_others_see_them(
    store: Store, numbers: list[int], write: Callable[[Store], None]
) -> None:
    write(store)
    assert numbers == [1]


def test_what_gives_no_numbers_is_not_told(store: Store, numbers: list[int]) -> None:
    keep(store)
    kept(store, ACCOUNT, [taken("2")], submitted=False)
    store.interactions.remember(ACCOUNT, "here")
    assert numbers == [1]


def test_a_commit_that_threads_share_is_told_once(store: Store, numbers: list[int]) -> None:
    commits = store._database._commits
    with ThreadPoolExecutor(3) as pool, commits._turn:
        for name in ("1", "2", "3"):
            pool.submit(kept, store, ACCOUNT, [taken(name)])
        eventually(lambda: commits._coming == 3)
    eventually(lambda: numbers == [3])


def test_who_wants_it_no_more_is_told_no_more(store: Store) -> None:
    told: list[str] = []
    with store.telling(lambda: told.append("first")):
        with store.telling(lambda: told.append("second")):
            keep(store)
        create(store)
    submit(store)
    assert told == ["first", "second", "first"]
