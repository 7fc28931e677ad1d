"""The order in which interactions are given to programs."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from emaild.store import Store, open_store
from emaild.store.engine import FILE
from emaild.store.interactions import Chosen
from emaild.store.migrations import CURRENT, MIGRATIONS
from emaild.store.raw import digest
from emaild.store.writes import Submission, Writes
from tests.clock import START
from tests.samples import kept, taken
from tests.understanding import letter

THREE = 3  # the version before numbers


def arrive(store: Store, key: str, *, submitted: bool) -> str:
    inbound, entry = taken(key)
    kept(store, "account", [(inbound, entry)], submitted=submitted)
    return entry.id


def numbers(store: Store) -> list[tuple[str, int | None]]:
    return [(entry.id, entry.number) for entry in store.interactions.submitted(Chosen(), 0, 100)]


def test_numbers_rise_in_the_order_in_which_programs_see_interactions(store: Store) -> None:
    waits = arrive(store, "1", submitted=False)
    first, second = arrive(store, "2", submitted=True), arrive(store, "3", submitted=True)
    assert store.interactions.last_number() == 2
    store.writing.commit(Writes(), START, submissions=[Submission(id=waits)])
    assert numbers(store) == [(first, 1), (second, 2), (waits, 3)]


def test_a_number_is_never_given_twice(store: Store) -> None:
    arrive(store, "1", submitted=True)
    store.interactions.prune(START + timedelta(days=1), 10)
    assert numbers(store) == []
    name = arrive(store, "2", submitted=True)
    assert numbers(store) == [(name, 2)]


def test_a_program_goes_on_behind_the_last_number_it_saw(store: Store) -> None:
    names = [arrive(store, str(number), submitted=True) for number in range(5)]
    page = store.interactions.submitted(Chosen(), 2, 2)
    assert [entry.id for entry in page] == names[2:4]
    assert [entry.id for entry in store.interactions.submitted(Chosen(queue="other"), 0, 10)] == []


def test_many_writers_leave_no_gap_behind_which_a_program_could_have_looked(store: Store) -> None:
    """A number that is seen is followed by none below it: both are given in the one commit at a time."""
    seen: list[int] = []
    done = threading.Event()

    def look() -> None:
        last = 0
        while not done.is_set() or last < store.interactions.last_number():
            for entry in store.interactions.submitted(Chosen(), last, 100):
                last = entry.number or 0
                seen.append(last)

    def write(who: int) -> None:
        for number in range(6):
            name = arrive(store, f"{who}.{number}", submitted=bool(number % 2))
            store.writing.commit(Writes(), START, submissions=[Submission(id=name)] if not number % 2 else [])

    reader = threading.Thread(target=look)
    writers = [threading.Thread(target=write, args=(who,)) for who in range(3)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert seen == list(range(1, 19))


def test_the_interactions_of_a_store_from_before_are_numbered_in_the_order_of_their_coming(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        for migration in MIGRATIONS[:THREE]:
            connection.executescript(migration)
        connection.execute("INSERT INTO schema_version VALUES (?)", (THREE,))
        for name, seconds in (("C", 5), ("B", 9), ("A", 9)):
            raw = letter()
            connection.execute("INSERT INTO raw VALUES (?, ?, ?)", (digest(raw), len(raw), raw))
            connection.execute(
                "INSERT INTO interaction (id, type, subtype, mailbox, received, queue, state, thread_id, raw_digest,"
                " facts, user_data) VALUES (?, 'Inbound', 'InboundNew', 'pop-client', ?, 'q', 'NEW', ?, ?,"
                """ '{"attachments": [], "date": null}', '{"Mailbox": "x"}')""",
                (name * 16, START.timestamp() + seconds, name * 16, digest(raw)),
            )
    told: list[tuple[int, int]] = []
    store = open_store(tmp_path, lambda old, new: told.append((old, new)))
    try:
        assert told == [(THREE, CURRENT)]
        assert numbers(store) == [("C" * 16, 1), ("A" * 16, 2), ("B" * 16, 3)]
        assert store.interactions.unsubmitted(10) == []
        entry = store.interactions.get("A" * 16)
        assert (entry.rule, entry.envelope, entry.user_data) == (None, None, {"Mailbox": "x"})
        after = arrive(store, "1", submitted=True)
        assert numbers(store)[-1] == (after, 4)
    finally:
        store.close()


def test_a_store_from_before_without_interactions_begins_at_one(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        for migration in MIGRATIONS[:THREE]:
            connection.executescript(migration)
        connection.execute("INSERT INTO schema_version VALUES (?)", (THREE,))
    store = open_store(tmp_path)
    try:
        assert store.interactions.last_number() == 0
        assert numbers(store) == []
        name = arrive(store, "1", submitted=True)
        assert numbers(store) == [(name, 1)]
    finally:
        store.close()
