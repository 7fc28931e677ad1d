"""What the webhook's receiver is still to be told: from when on, in which order, and what a removed mail leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete

from emaild.errors import StoreFailed
from emaild.store import Store, open_store
from emaild.store.pushes import PAGE, Push, Taken
from emaild.store.schema import interaction
from tests.clock import START
from tests.full_disk import no_more_bytes
from tests.publishing import keep

LATER = START + timedelta(minutes=1)


def every(queue: str) -> bool:
    return True


def begun(store: Store) -> Store:
    """The first look is over."""
    store.pushes.take(every, START)
    return store


def due(store: Store, when: float = 0.0) -> list[str]:
    """The ids of what is due so many seconds after the start."""
    return [one.id for one in store.pushes.due(START + timedelta(seconds=when), 100)]


def first(store: Store) -> Push:
    return store.pushes.due(LATER, 1)[0]


def test_the_first_look_begins_with_what_comes_from_then_on(store: Store) -> None:
    keep(store, "old")
    assert store.pushes.take(every, START) == Taken(began=1)
    assert store.pushes.take(every, START) == Taken()
    assert due(store) == []
    name = keep(store, "new")
    assert store.pushes.take(every, START) == Taken()
    assert due(store) == [name]


def test_a_look_takes_each_interaction_once(store: Store) -> None:
    begun(store)
    names = [keep(store, str(number)) for number in range(3)]
    for _ in range(2):
        store.pushes.take(every, START)
        assert due(store) == names


def test_only_wanted_queues_are_taken_and_others_are_not_looked_at_again(store: Store) -> None:
    begun(store)
    keep(store, "a", queue="sales")
    wanted = keep(store, "b", queue="support")
    store.pushes.take(lambda queue: queue == "support", START)
    store.pushes.take(every, START)
    assert due(store) == [wanted]


def test_many_are_taken_a_page_at_a_time(store: Store) -> None:
    begun(store)
    for number in range(PAGE + 1):
        keep(store, str(number))
    assert store.pushes.take(every, START) == Taken(more=True)
    assert store.pushes.waiting() == (PAGE, START)
    assert store.pushes.take(every, LATER) == Taken()
    assert store.pushes.waiting() == (PAGE + 1, START)


def test_of_a_thread_only_the_first_is_due_until_it_is_done(store: Store) -> None:
    begun(store)
    root = keep(store, "one")
    names = [root, keep(store, "two", thread=root), keep(store, "three", thread=root)]
    other = keep(store, "other")
    store.pushes.take(every, START)
    assert due(store) == [root, other]
    store.pushes.done(first(store), START)
    assert set(due(store)) == {names[1], other}
    late = keep(store, "four", thread=root)
    store.pushes.take(every, START)
    assert late not in due(store)


def test_what_failed_is_due_at_its_time_and_its_thread_waits(store: Store) -> None:
    begun(store)
    root = keep(store, "one")
    keep(store, "two", thread=root)
    other = keep(store, "other")
    store.pushes.take(every, START)
    store.pushes.failed(first(store), START + timedelta(seconds=10))
    assert due(store, 9) == [other]
    assert due(store, 10) == [other, root]
    (again,) = [one for one in store.pushes.due(LATER, 9) if one.id == root]
    assert again.attempts == 1


def test_what_waits_outlives_the_process(store: Store, tmp_path_factory: pytest.TempPathFactory) -> None:
    begun(store)
    name = keep(store, "one")
    store.pushes.take(every, START)
    again = open_store(store._database.path.parent)
    assert due(again) == [name]
    assert again.pushes.take(every, START) == Taken()
    again.close()


def test_a_thread_goes_on_when_its_first_is_removed_from_the_store(store: Store) -> None:
    begun(store)
    root = keep(store, "one")
    following = keep(store, "two", thread=root)
    keep(store, "three", thread=root)
    store.pushes.take(every, START)
    with store._database.write() as connection:
        connection.execute(delete(interaction).where(interaction.c.id == root))
    assert due(store, 60) == []
    store.pushes.mend(START)
    assert due(store) == [following]


def test_where_all_that_is_new_was_removed_the_look_ends(store: Store) -> None:
    begun(store)
    keep(store, "one")
    store.interactions.prune(LATER, 1)
    assert store.pushes.take(every, START) == Taken()
    name = keep(store, "two")
    store.pushes.take(every, START)
    assert due(store) == [name]


def test_on_a_full_disk_nothing_is_taken_and_later_all(store: Store) -> None:
    begun(store)
    names = [keep(store, str(number)) for number in range(50)]
    with no_more_bytes(), pytest.raises(StoreFailed):
        store.pushes.take(every, START)
    assert due(store) == []
    store.pushes.take(every, START)
    assert due(store) == names


def test_what_is_due_is_found_without_looking_at_what_waits_behind_it(store: Store) -> None:
    begun(store)
    root = keep(store, "root")
    for number in range(300):
        keep(store, str(number), thread=root)
    store.pushes.take(every, START)
    rows = "SELECT count(*) FROM push WHERE next_attempt <= 1e17"
    with store._database.read() as connection:
        assert connection.exec_driver_sql(rows).scalar_one() == 1
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT * FROM push WHERE next_attempt <= 5 ORDER BY next_attempt, number LIMIT 20"
        ).all()
    assert "USING INDEX push_due" in str(plan)
    assert "TEMP B-TREE" not in str(plan)
