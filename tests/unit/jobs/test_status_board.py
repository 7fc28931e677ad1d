"""The states of all mailboxes, as they come to the store."""

from __future__ import annotations

import threading

import pytest

from emaild.errors import StoreFailed
from emaild.jobs.status import StatusBoard
from emaild.store import Store
from tests.clock import START
from tests.full_disk import no_more_bytes
from tests.statements import statements


@pytest.fixture
def board(store: Store) -> StatusBoard:
    return StatusBoard(store.mailboxes)


def states(store: Store) -> dict[str, str]:
    return {name: status.state for name, status in store.mailboxes.all().items()}


def test_what_changed_is_written_when_it_is_flushed(board: StatusBoard, store: Store) -> None:
    board.configure({"a": True, "b": False})
    assert states(store) == {}
    board.flush()
    assert states(store) == {"a": "waiting", "b": "resting"}
    board.update("a", state="ok", last_poll=START)
    board.flush()
    assert store.mailboxes.all()["a"].last_poll == START


def test_a_mailbox_that_rests_and_is_read_again_waits(board: StatusBoard, store: Store) -> None:
    board.configure({"a": True})
    board.update("a", state="ok", next_due=START)
    board.configure({"a": False})
    board.flush()
    assert (states(store), store.mailboxes.all()["a"].next_due) == ({"a": "resting"}, None)
    board.configure({"a": True})
    board.flush()
    assert states(store) == {"a": "waiting"}


def test_a_mailbox_that_stays_configured_keeps_its_state(board: StatusBoard, store: Store) -> None:
    board.configure({"a": True})
    board.update("a", state="failing", last_error="sign in: no")
    board.configure({"a": True, "b": True})
    board.flush()
    assert states(store) == {"a": "failing", "b": "waiting"}


def test_the_last_mailbox_that_is_removed_is_forgotten_too(board: StatusBoard, store: Store) -> None:
    board.configure({"a": True})
    board.flush()
    board.configure({})
    board.flush()
    assert states(store) == {}


def test_a_turn_that_ends_after_its_mailbox_was_removed_leaves_nothing_behind(board: StatusBoard, store: Store) -> None:
    board.configure({"a": True, "b": True})
    board.flush()
    board.configure({"b": True})
    board.update("a", state="ok", last_poll=START)
    board.flush()
    assert states(store) == {"b": "waiting"}
    board.configure({"a": True, "b": True})
    board.update("a", state="ok")
    board.flush()
    assert states(store) == {"a": "ok", "b": "waiting"}


def test_what_was_known_before_a_restart_is_shown_until_there_is_news(board: StatusBoard, store: Store) -> None:
    board.configure({"a": True, "b": True})
    board.update("a", state="ok", last_mail=START)
    board.flush()
    again = StatusBoard(store.mailboxes)
    again.configure({"a": True})
    again.update("a", state="failing")
    again.flush()
    assert states(store) == {"a": "failing"}
    assert store.mailboxes.all()["a"].last_mail == START


def test_what_could_not_be_written_is_written_the_next_time(board: StatusBoard, store: Store) -> None:
    board.configure({"a": True, "b": True})
    board.flush()
    board.update("a", state="ok")
    board.configure({"a": True})
    with no_more_bytes(), pytest.raises(StoreFailed):
        board.flush()
    board.flush()
    assert states(store) == {"a": "ok"}


def test_of_a_thousand_mailboxes_those_that_changed_are_written_by_one_statement(
    board: StatusBoard, store: Store
) -> None:
    names = [f"pop-client-{number}" for number in range(1000)]
    board.configure(dict.fromkeys(names, True))
    board.flush()
    for name in names[:40]:
        board.update(name, state="ok")
    with statements() as asked:
        board.flush()
    (written,) = [given for statement, given in asked if "mailbox_status" in statement]
    assert len(written) == 40
    assert sorted(states(store).values()) == ["ok"] * 40 + ["waiting"] * 960


def test_many_threads_report_and_nothing_is_forgotten(board: StatusBoard, store: Store) -> None:
    names = [f"pop-client-{number}" for number in range(20)]
    board.configure(dict.fromkeys(names, True))

    def report(name: str) -> None:
        for state in ("failing", "ok") * 20:
            board.update(name, state=state)

    threads = [threading.Thread(target=report, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        board.flush()
    board.flush()
    assert states(store) == dict.fromkeys(names, "ok")
