"""A hundred thousand mails in the outbox: what sending and people ask is answered from indexes, and without a sort."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from emaild.message import OutboundState
from emaild.store import Store, open_store
from emaild.store.outbox_entries import Choice
from tests.clock import START
from tests.samples import answered, leased, outbound
from tests.statements import plans, statements

WAY = "smtp-client"
LATER = START + timedelta(days=1)
MANY = 100_000
STEPS = 20_000  # of SQLite's machine, by which a look through all mails would come to millions
FILL = """
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {many})
INSERT INTO outbox (id, created, way_out, sender, message_id, raw_digest, state, attempts, next_attempt, diagnosis)
    SELECT printf('Z%015d', i), {at} + i, '{way}', 'a@b.c', '<' || i || '@x>', digest, 'QUEUED', 0, {at} + i, ''
    FROM n, (SELECT digest FROM raw LIMIT 1)
"""
STATES = OutboundState
WAITING = (STATES.QUEUED, STATES.DEFERRED)
CHOICES = [
    Choice(),
    Choice(done=False),
    Choice(done=True),
    Choice(states=(STATES.QUEUED,)),
    Choice(states=WAITING),
    Choice(done=False, states=WAITING, way_out=WAY),
    Choice(done=False, way_out=WAY),
    Choice(way_out=WAY, states=(STATES.QUEUED,)),
    Choice(recipient="a@b.c"),
    Choice(sender="@b.c", since=START, until=LATER + timedelta(days=9)),
]
MANY_FIT = [choice for choice in CHOICES if not choice.done]  # what is not there is looked for among all


def named(choice: Choice) -> str:
    """What is chosen, as the name of a test's case."""
    return str({name: value for name, value in vars(choice).items() if value})


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An outbox of a hundred thousand."""
    store = open_store(tmp_path_factory.mktemp("full"))
    store.outbox.add(outbound("a@b.c"), START)
    with store._database.write() as connection:
        connection.exec_driver_sql(FILL.format(many=MANY, at=START.timestamp(), way=WAY))
        connection.exec_driver_sql(
            "INSERT INTO recipient (outbox_id, position, address, state, code, text)"
            " SELECT id, 0, 'a@b.c', 'WAITING', '', '' FROM outbox WHERE id LIKE 'Z%'"
        )
    yield store
    store.close()


@pytest.fixture
def some(tmp_path: Path) -> Iterator[Store]:
    """A few mails: the plans are the same for any number, for nothing counts them."""
    store = open_store(tmp_path)
    for _ in range(5):
        store.outbox.add(outbound(), START)
    yield store
    store.close()


def sends(store: Store) -> None:
    """All that the daemon asks."""
    for lease in leased(store, most=2):
        answered(store, lease, 250)
    sending = store.sending
    sending.lease(WAY, START, LATER, most=1, ration=1, past=10)
    sending.renew(leased(store), LATER)
    sending.take_back(LATER + timedelta(seconds=1))
    sending.tries_since(WAY, START, 9)
    sending.defer(WAY, LATER, LATER, why="", past=10, most=2)
    sending.reroute(WAY, "another", LATER, why="", most=1)
    sending.expire(WAY, LATER, LATER)
    store.outbox.prune(LATER, 10)


def test_sending_goes_through_no_table_and_sorts_nothing(some: Store) -> None:
    with statements() as asked:
        sends(some)
    found = plans(some, asked)
    bad = {
        statement: plan
        for statement, plan in found.items()
        if any(line.startswith(("SCAN outbox", "SCAN attempt")) or "ORDER BY" in line for line in plan)
    }
    assert bad == {}
    used = {word for plan in found.values() for line in plan for word in line.split()}
    wanted = {"outbox_due", "outbox_leased", "outbox_unfinished", "outbox_finished", "attempt_at"}
    assert wanted <= used


@pytest.mark.parametrize("choice", CHOICES, ids=named)
def test_no_list_is_sorted(some: Store, choice: Choice) -> None:
    with statements() as asked:
        list(some.outbox.newest(choice, 3))
        some.outbox.chosen(choice, after="1", most=3)
    lines = [line for plan in plans(some, asked).values() for line in plan]
    assert not [line for line in lines if "ORDER BY" in line]
    assert "SCAN recipient" not in lines


def within(store: Store, steps: int, ask: Callable[[], Any]) -> Any:
    """The answer; it is broken off where SQLite takes more steps."""
    taken = 0

    def count() -> bool:
        nonlocal taken
        taken += 1000
        return taken > steps

    with store._database.read() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.set_progress_handler(count, 1000)
    try:
        return ask()
    finally:
        driver.set_progress_handler(None, 0)


@pytest.mark.parametrize("choice", MANY_FIT, ids=named)
def test_a_page_of_a_hundred_thousand_is_read_in_few_steps(full: Store, choice: Choice) -> None:
    page = within(full, STEPS, lambda: list(islice(full.outbox.newest(choice, 20), 20)))
    assert [entry.id for entry in page][:2] == [f"Z{MANY - 1:015}", f"Z{MANY - 2:015}"]
    page = within(full, STEPS, lambda: full.outbox.chosen(choice, after=f"Z{MANY // 2:015}", most=20))
    assert len(page) == 20


def test_a_mail_that_is_due_is_found_among_a_hundred_thousand_in_few_steps(full: Store) -> None:
    asks: list[Callable[[], Any]] = [
        lambda: full.sending.has_due(WAY, LATER),
        lambda: full.sending.lease(WAY, START, LATER, most=1, ration=0, past=10),
        lambda: full.sending.lease(WAY, LATER, LATER, most=10),
        lambda: full.sending.defer(WAY, LATER, LATER, why="", past=10, most=20),
        lambda: full.sending.expire("another", LATER, LATER),
        lambda: full.sending.take_back(LATER - timedelta(seconds=1)),
        lambda: full.sending.reroute(WAY, "another", LATER, why="", most=20),
    ]
    for ask in asks:
        within(full, STEPS, ask)
