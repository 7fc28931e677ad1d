"""The states of the ways out, as they come to the store and are shown."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from datetime import timedelta

import pytest

from emaild.documents.way_out import ways_json
from emaild.errors import StoreFailed
from emaild.jobs.outbox_changes import ChangeAll, change_one
from emaild.jobs.ways import WaysBoard
from emaild.store import Store
from emaild.store.outbox_entries import Choice
from emaild.store.ways_out import WayOutStatus
from tests.clock import START, ManualClock
from tests.full_disk import no_more_bytes
from tests.said import Said
from tests.samples import outbound
from tests.sending import Sending


@pytest.fixture
def sending(store: Store, clock: ManualClock) -> Sending:
    return Sending(store, clock, message_limit_given=2, message_limit_strict=True)


def board_of(sending: Sending, *resting: str) -> WaysBoard:
    names = [sending.section.name, *resting]
    return WaysBoard(
        sending.store.ways_out, lambda: [sending.way], lambda: names, sending.clock, lambda name: sending.way.wake()
    )


def status(sending: Sending, board: WaysBoard) -> WayOutStatus:
    board.flush()
    return sending.store.ways_out.all()["smtp-client"]


def test_a_way_waits_until_it_was_tried_and_then_works(sending: Sending) -> None:
    board = board_of(sending)
    assert status(sending, board) == WayOutStatus(name="smtp-client", state="waiting")
    sending.queue()
    sending.run()
    assert status(sending, board) == WayOutStatus(name="smtp-client", state="ok", last_sent=sending.clock.now())


def test_a_way_whose_mails_are_all_refused_works_and_sent_nothing(sending: Sending) -> None:
    sending.server.answers["ann@example.com"] = 550
    sending.queue("ann@example.com")
    sending.run()
    found = status(sending, board_of(sending))
    assert (found.state, found.last_sent) == ("ok", None)


def test_a_way_that_fails_says_why_and_when_it_is_tried_again(sending: Sending) -> None:
    sending.queue()
    sending.fail_once()
    board = board_of(sending)
    found = status(sending, board)
    assert (found.state, found.last_error) == ("failing", "connect: refused")
    assert found.next_try == sending.clock.now() + timedelta(seconds=sending.way.rest.left())
    sending.clock.advance(sending.way.rest.left() + 3600)
    sending.settle()
    found = status(sending, board)
    assert (found.state, found.next_try, found.last_error) == ("ok", None, "connect: refused")


def test_a_way_is_limited_until_the_minute_is_over(sending: Sending) -> None:
    for _ in range(3):
        sending.queue()
    sending.settle()
    board = board_of(sending)
    found = status(sending, board)
    assert (found.state, found.next_try) == ("limited", sending.clock.now() + timedelta(seconds=60))
    sending.clock.advance(60)
    assert status(sending, board).state == "ok"


def test_a_section_that_is_not_used_rests_and_one_that_is_gone_is_forgotten(sending: Sending) -> None:
    board_of(sending, "smtp-client-old").flush()
    assert sending.store.ways_out.all()["smtp-client-old"].state == "resting"
    board_of(sending).flush()
    assert list(sending.store.ways_out.all()) == ["smtp-client"]


def test_what_was_sent_before_a_restart_stays_known(sending: Sending, store: Store) -> None:
    store.ways_out.report([WayOutStatus(name="smtp-client", state="ok", last_sent=START, last_error="e")])
    found = status(sending, board_of(sending))
    assert (found.state, found.last_sent, found.last_error) == ("waiting", START, "e")


def test_nothing_is_written_where_nothing_is_new(sending: Sending, store: Store) -> None:
    sending.queue()
    sending.fail_once()
    board = board_of(sending)
    board.flush()
    with closing(sqlite3.connect(store._database.path)) as other:
        before = other.execute("PRAGMA data_version").fetchone()  # it is another after each commit of anybody else
        sending.clock.jump(0.3)  # the time of the next try is counted anew each second
        board.flush()
        assert other.execute("PRAGMA data_version").fetchone() == before
        sending.way.last_sent = sending.clock.now()
        board.flush()
        assert other.execute("PRAGMA data_version").fetchone() != before


def test_what_could_not_be_written_is_written_the_next_time(sending: Sending, store: Store) -> None:
    board = board_of(sending)
    with no_more_bytes(), pytest.raises(StoreFailed):
        board.flush()
    assert status(sending, board).state == "waiting"


def test_a_way_is_shown_with_what_waits_for_it_and_one_without_a_section_is_missing(store: Store) -> None:
    store.outbox.add(outbound(way_out="smtp-client-gone"), START)
    held = outbound()
    store.outbox.add(held, START)
    store.outbox.hold(held.id, START)
    store.outbox.add(outbound(), START + timedelta(hours=1))
    states = {"smtp-client": WayOutStatus(name="smtp-client", state="ok", last_sent=START)}
    ours, gone = ways_json(states, store.figures.outbox())
    assert ours == {
        "name": "smtp-client",
        "state": "ok",
        "queued": 1,
        "deferred": 0,
        "held": 1,
        "sending": 0,
        "oldest": "2026-03-02T10:30:00.000Z",
        "last_sent": "2026-03-02T09:30:00.000Z",
        "last_error": None,
        "next_try": None,
    }
    assert (gone["name"], gone["state"], gone["queued"]) == ("smtp-client-gone", "missing", 1)


def rests(sending: Sending) -> tuple[WaysBoard, str]:
    """The board of a way that rests, for it failed, and the mail that waits for it."""
    mail = sending.queue()
    board = board_of(sending)
    board.flush()
    sending.fail_once()
    board.flush()
    return board, mail.id


@pytest.mark.parametrize("told", [True, False])
def test_a_mail_that_a_person_wants_sent_now_wakes_its_way(
    sending: Sending, store: Store, said: Said, told: bool
) -> None:
    board, mail = rests(sending)
    changed = change_one(store, "retry", mail, sending.clock.now(), client="command-line")
    assert changed.woken
    if told:  # there is more to be written than that it is woken
        sending.way.last_sent = START - timedelta(days=1)
    board.flush()
    assert said.one("way_out.woken")["section"] == "smtp-client"
    sending.run()
    assert [one.id for one in sending.server.taken] == [mail]
    board.flush()
    assert len(said.all("way_out.woken")) == 1


def test_mails_that_a_person_wants_sent_now_wake_their_ways(sending: Sending, store: Store) -> None:
    board, _ = rests(sending)
    change = ChangeAll(store, "retry", Choice(done=False), client="command-line")
    change.run(sending.clock.now())
    assert change.woken == {"smtp-client"}
    board.flush()
    assert sending.way.rest.left() == 0


def test_what_a_person_wants_of_mails_is_done_where_their_way_cannot_be_woken(
    sending: Sending, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, mail = rests(sending)
    wake = store.ways_out.wake

    def on_a_full_disk(names: Collection[str]) -> set[str]:
        with no_more_bytes():
            return wake(names)

    monkeypatch.setattr(store.ways_out, "wake", on_a_full_disk)
    assert not change_one(store, "retry", mail, sending.clock.now(), client="command-line").woken
    change = ChangeAll(store, "retry", Choice(done=False), client="command-line")
    change.run(sending.clock.now())
    assert (change.count, change.woken) == (1, set())


def test_ways_of_which_none_rests_are_woken_without_a_wait_for_who_writes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emaild.store.commits.BUSY_SECONDS", 0)
    store.ways_out.report([WayOutStatus(name="smtp-client", state="ok")])
    with closing(sqlite3.connect(store._database.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.ways_out.wake({"smtp-client"}) == set()


@pytest.mark.parametrize("action", ["hold", "cancel"])
def test_nothing_else_that_a_person_does_wakes_a_way(sending: Sending, store: Store, action: str) -> None:
    board, mail = rests(sending)
    assert not change_one(store, action, mail, sending.clock.now(), client="command-line").woken
    board.flush()
    assert sending.way.rest.left() > 0


def test_a_way_that_works_is_not_woken(sending: Sending, store: Store, said: Said) -> None:
    sending.server.answers = {"ann@example.com": 451}
    mail = sending.queue("ann@example.com")
    sending.run()
    board = board_of(sending)
    board.flush()
    assert not change_one(store, "retry", mail.id, sending.clock.now(), client="command-line").woken
    board.flush()
    assert "way_out.woken" not in said.names


def test_a_way_that_is_woken_and_fails_again_may_be_woken_again(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock)
    board, mail = rests(sending)
    for _ in range(3):
        assert change_one(store, "retry", mail, sending.clock.now(), client="command-line").woken
        board.flush()
        sending.fail_once()
        sending.clock.advance(0.1)
        board.flush()
        assert store.ways_out.all()["smtp-client"].next_try is not None
