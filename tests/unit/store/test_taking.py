"""Taking a batch in costs a few statements however many mails it has, and marks what comes next in the same commit."""

from __future__ import annotations

import re
from typing import Any

import pytest

from emaild.errors import StoreFailed
from emaild.store import Store
from tests.clock import START
from tests.full_disk import no_more_bytes
from tests.samples import kept, taken
from tests.statements import plans, statements
from tests.understanding import Desk, letter

ACCOUNT = "imap:ann@example.com/INBOX"
OFTEN: dict[str, Any] = {"enable_autowar_detect": True, "subject_threading_substrings": ("Case #*",)}


def cost(desk: Desk, count: int) -> tuple[int, int]:
    """How many statements it takes to hold so many mails against others, and how many to store them."""
    mails = [letter(f"Case #{number}", message_id="", in_reply_to=f"<{number}@there>") for number in range(count)]
    with statements() as looking:
        looked = desk.understand(*mails)
    with statements() as storing:
        desk.keep(looked)
    return len(looking), len(storing)


def test_mails_of_a_commit_are_looked_up_and_stored_in_as_many_statements_as_two(store: Store) -> None:
    desk = Desk(store, enable_autowar_detect=True)
    desk.one(letter())  # the first of all, before which there is no number
    assert cost(desk, 60) == cost(desk, 2)


def test_who_got_automatic_mails_is_asked_once_and_only_his_are_counted(store: Store) -> None:
    desk = Desk(store, **OFTEN)
    sent = desk.send("ann@example.com", auto_submitted="auto-replied")
    others = [letter(sender=f"number{number}@example.com") for number in range(20)]
    with statements() as asked:
        *rest, last = desk.understand(*others, letter(in_reply_to=sent.message_id))
    assert sum("count(DISTINCT" in statement for statement, _ in asked) == 1
    assert last[1].interactions[0].user_data["_AutoReplyCount"] == 1
    assert {one.interactions[0].user_data["_AutoReplyCount"] for _, one in rest} == {0}


def test_mails_of_one_commit_know_of_each_other_and_of_those_stored_before(store: Store) -> None:
    desk = Desk(store)
    stored = desk.one(letter(message_id="<stored@x>"))
    first, second, third = desk.take(
        letter(message_id="<first@x>"), letter(in_reply_to="<first@x>"), letter(in_reply_to="<stored@x>")
    )
    assert (second.thread_id, second.parent_id) == (first.id, first.id)
    assert (third.thread_id, third.parent_id) == (stored.id, stored.id)


def test_what_comes_next_is_marked_in_the_commit_that_keeps_a_batch(store: Store) -> None:
    store.interactions.keep(ACCOUNT, [], settled=True, coming=["2", "3"])
    assert store.marks.suspects(ACCOUNT) == {"2": 0, "3": 0}


def test_a_batch_that_cannot_be_kept_marks_nothing(store: Store) -> None:
    store.marks.begin(ACCOUNT, ["1"])
    with no_more_bytes(), pytest.raises(StoreFailed):
        store.interactions.keep(ACCOUNT, [], settled=True, coming=["2"])
    assert store.marks.suspects(ACCOUNT) == {"1": 0}


def test_what_comes_next_is_marked_in_the_commit_that_ends_a_turn(store: Store) -> None:
    kept(store, ACCOUNT, [taken("1")], settled=False)
    store.interactions.settle(ACCOUNT, ["1"], "here", coming=["2"])
    assert store.marks.suspects(ACCOUNT) == {"2": 0}
    assert store.interactions.unsettled(ACCOUNT) == []


def test_no_coming_mails_leave_the_mark_as_it_is(store: Store) -> None:
    store.marks.begin(ACCOUNT, ["2"])
    kept(store, ACCOUNT, [taken("1")], settled=False)
    store.interactions.settle(ACCOUNT, ["1"], "here")
    assert store.marks.suspects(ACCOUNT) == {"2": 0}


def test_what_the_server_was_not_told_of_is_found_by_an_index_of_nothing_else(store: Store) -> None:
    kept(store, ACCOUNT, [taken("1"), taken("2")], settled=False)
    with statements() as asked:
        assert sorted(store.interactions.unsettled(ACCOUNT)) == ["1", "2"]
    (plan,) = plans(store, asked).values()
    assert any(re.search(r"USING INDEX seen_unsettled", line) for line in plan)


def test_taken_twins_in_one_commit_stay_one_and_an_answer_to_the_second_goes_to_the_first(store: Store) -> None:
    """Both were understood before either was stored, each by another who did not know of the other."""
    desk = Desk(store, enable_message_id_check=True)
    same = letter("Same", message_id="<same@x>", date="Thu, 1 May 2025 10:00:00 +0000")
    (first,) = desk.understand(same)
    second, answer = desk.understand(
        same.replace(b"\r\n\r\n", b"\r\nX-Way: 2\r\n\r\n", 1), letter(in_reply_to="<same@x>")
    )
    assert desk.keep([first, second, answer]) == {second[0].key}
    (root,), (reply,) = first[1].interactions, answer[1].interactions
    kept_reply = store.interactions.get(reply.id)
    assert (kept_reply.thread_id, kept_reply.parent_id) == (root.id, root.id)
    assert store.known.takes_part(root.id, "ann@example.com")
    assert store.known.last(root.id) == START
