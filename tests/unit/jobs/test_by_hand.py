"""Mailboxes that are looked into only where somebody asks, and what he is told of any mailbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emaild.errors import Busy, Rejected
from emaild.jobs.asked import Fetched
from emaild.store import Store
from tests.clock import ManualClock
from tests.reading import Reading
from tests.samples import mail


@pytest.fixture
def by_hand(store: Store, clock: ManualClock) -> Iterator[Reading]:
    with Reading(store, clock, cycle_time=0.0, most=2) as made:
        yield made


def asked(reading: Reading) -> list[Fetched]:
    """What is told of the look that is asked for now; it is filled when the look has ended."""
    told: list[Fetched] = []
    reading.job.ask(told.append)
    return told


def test_nothing_is_asked_of_the_server_where_nobody_asked(by_hand: Reading, clock: ManualClock) -> None:
    by_hand.mailbox.add("1")
    assert by_hand.run() is None
    by_hand.job = by_hand.restarted(clock)
    assert by_hand.run() is None
    assert by_hand.mailbox.log == []


def test_a_look_takes_all_that_is_there_and_the_connection_is_closed_after_it(by_hand: Reading) -> None:
    by_hand.mailbox.add("1", "2", "3", "4", "5")
    told = asked(by_hand)
    assert by_hand.run_until_done() == [0, 0, None]
    assert told == [Fetched(taken=5)]
    assert by_hand.mailbox.log[-1] == "close"
    assert (by_hand.status.state, by_hand.status.next_due) == ("ok", None)
    by_hand.mailbox.add("6")
    assert by_hand.run() is None
    assert len(by_hand.interactions) == 5
    assert len(told) == 1


def test_asking_wakes_a_mailbox_that_sleeps(by_hand: Reading) -> None:
    job = by_hand.schedule.take()
    assert job is by_hand.job
    by_hand.schedule.done(job, job.run())
    asked(by_hand)
    assert by_hand.schedule.take() is by_hand.job


def test_who_asks_while_a_look_goes_on_is_told_of_the_whole_look(by_hand: Reading) -> None:
    by_hand.mailbox.add("1", "2", "3")
    first = asked(by_hand)
    assert by_hand.run() == 0
    second = asked(by_hand)
    assert by_hand.run_until_done() == [None]
    assert first == second == [Fetched(taken=3)]


def test_a_mailbox_that_is_read_every_so_often_is_looked_into_at_once_too(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock) as reading:
        reading.mailbox.add("1")
        reading.run()
        reading.mailbox.add("2")
        told = asked(reading)
        assert reading.run() == reading.section.cycle_time
        assert told == [Fetched(taken=1)]


def test_what_is_left_on_the_server_is_counted(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, cycle_time=0.0, maximum_msg_size=500) as reading:
        reading.mailbox.add("1", "2", "3")
        reading.mailbox.mails["2"] = mail("Large", "x" * 500)
        reading.mailbox.refuses = {"3"}
        told = asked(reading)
        reading.run_until_done()
        assert told == [Fetched(taken=1, left=2)]


@pytest.mark.parametrize("tells", [{}, {"2": 100}], ids=["before the fetch", "after the fetch"])
def test_what_is_deleted_as_too_big_is_not_counted_as_left(
    store: Store, clock: ManualClock, tells: dict[str, int]
) -> None:
    with Reading(store, clock, cycle_time=0.0, maximum_msg_size=500, delete_big_msg=True) as reading:
        reading.mailbox.add("1", "2", "3")
        reading.mailbox.mails["2"] = mail("Large", "x" * 500)
        reading.mailbox.tells = tells
        reading.mailbox.refuses = {"3"}
        told = asked(reading)
        reading.run_until_done()
        assert told == [Fetched(taken=1, left=1)]


@pytest.mark.parametrize(("kind", "temporary"), [(Busy, True), (Rejected, False)])
def test_a_look_that_fails_is_told_of_and_not_tried_again(
    by_hand: Reading, kind: type[Busy | Rejected], temporary: bool
) -> None:
    by_hand.mailbox.down = kind("mail.example", "sign in", "no")
    told = asked(by_hand)
    assert by_hand.run() is None
    assert told == [Fetched(error="mail.example: sign in: no", temporary=temporary)]
    assert (by_hand.status.state, by_hand.status.next_due) == ("failing", None)
    by_hand.mailbox.down = None
    by_hand.mailbox.add("1")
    assert by_hand.run() is None
    assert by_hand.interactions == []
    told = asked(by_hand)
    by_hand.run()
    assert told == [Fetched(taken=1)]


def test_a_connection_that_breaks_in_the_middle_leaves_what_came_before(by_hand: Reading) -> None:
    by_hand.mailbox.add("1", "2", "3")
    by_hand.mailbox.breaks_at = {"3"}
    told = asked(by_hand)
    assert by_hand.run_until_done() == [0, None]
    assert [(one.taken, one.left, bool(one.error)) for one in told] == [(2, 1, True)]


def test_who_waits_is_told_when_the_mailbox_is_not_read_any_more(by_hand: Reading) -> None:
    told = asked(by_hand)
    by_hand.job.stop()
    assert by_hand.run() is None
    assert "ask again" in told[0].error


def test_who_asks_after_the_last_run_is_told_at_once(by_hand: Reading) -> None:
    by_hand.job.stop()
    assert by_hand.run() is None
    told = asked(by_hand)
    assert "ask again" in told[0].error
