"""What is remembered of mails: as long as is asked for, found by indexes only, and read in few queries."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from emaild.message import token
from emaild.store import Store
from tests.clock import START
from tests.statements import plans, statements
from tests.understanding import Desk, letter

LATER = START + timedelta(days=10)
ALL: dict[str, Any] = {
    "enable_autowar_detect": True,
    "thread_window": 30,
    "subject_threading_substrings": ("Case #*",),
}


def known(store: Store, *names: str) -> list[str]:
    return sorted(store.known.by_id(names))


def busy(desk: Desk) -> None:
    """Mails of every kind of look-up."""
    sent = desk.send("ann@example.com", "Case #7", auto_submitted="auto-replied")
    question, *_ = desk.take(letter("Case #7", message_id="<q@x>", cc="bob@example.com", text=desk.section.name))
    desk.take(letter(in_reply_to=sent.message_id), letter(token(question.id)), letter("Case #7"))
    desk.take(letter("Case #7", message_id="<q@x>"), letter("Case #8", sender="bob@example.com"))
    desk.send("ann@example.com", in_reply_to="<q@x>", auto_submitted="auto-replied")


@pytest.mark.parametrize("split", [True, False])
def test_no_look_up_goes_through_a_whole_table(store: Store, *, split: bool) -> None:
    """`wanted` and what is in a list are the names that are looked for."""
    desk = Desk(store, box={"copy_message_to_recipients": split}, **ALL)
    everywhere = Desk(store, name="other", box={"mailbox": "sales@x"}, **ALL, autowar_scan_all_threads_of_contact=True)
    with statements() as asked:
        for one in (desk, everywhere):
            busy(one)
        store.known.prune(LATER, 1)
    found = plans(store, asked)
    touched = {name for plan in found.values() for line in plan for name in re.findall(r"SEARCH (\w+)", line)}
    assert {"mail", "correspondent", "subject_match", "automatic_mail", "seen"} <= touched
    scan = re.compile(r"SCAN (?!wanted|anon_1|json_each)")
    scans = {statement: plan for statement, plan in found.items() if any(map(scan.match, plan))}
    assert scans == {}


def test_a_mail_is_looked_up_in_one_query_where_no_option_asks_for_more(store: Store) -> None:
    desk = Desk(store, enable_autowar_detect=False)
    desk.one(letter(message_id="<q@x>"))
    mail = letter(in_reply_to="<q@x>", references=" ".join(f"<{number}@y>" for number in range(40)))
    with statements() as asked:
        desk.understand(mail)
    assert len([statement for statement, _ in asked if statement.startswith("SELECT")]) == 1


def test_of_many_mails_with_one_message_id_the_first_is_found(store: Store) -> None:
    desk = Desk(store)
    first = desk.one(letter("First", message_id="<same@x>"))
    desk.take(*(letter(f"Number {number}", message_id="<same@x>") for number in range(500)), at=LATER)
    found = store.known.by_message_id(["<same@x>", "<other@x>"])
    assert {name: mail.id for name, mail in found.items()} == {"<same@x>": first.id}


def test_mails_in_and_out_are_forgotten_in_steps_the_oldest_of_them(store: Store) -> None:
    desk = Desk(store)
    old = [desk.one(letter()).id for _ in range(4)] + [desk.send().id]
    new = desk.one(letter(), at=LATER).id
    assert [store.known.prune(LATER, 2) for _ in range(4)] == [2, 2, 1, 0]
    assert known(store, *old, new) == [new]


def test_the_people_and_subjects_of_a_thread_are_known_as_long_as_one_of_its_mails(store: Store) -> None:
    desk = Desk(store, **ALL)
    question, *_ = desk.take(letter("Case #7", message_id="<q@x>"))
    desk.one(letter(in_reply_to="<q@x>"), at=LATER)
    assert store.known.prune(LATER, 100) == 1
    assert store.known.takes_part(question.id, "ann@example.com")
    assert store.known.threads_by_subject(["case #7"], "ann@example.com") == [question.id]
    assert store.known.prune(LATER + timedelta(days=1), 100) == 1
    assert not store.known.takes_part(question.id, "ann@example.com")
    assert store.known.threads_by_subject(["case #7"], "ann@example.com") == []


def test_automatic_mails_are_forgotten_with_the_mail(store: Store) -> None:
    Desk(store).send("ann@example.com", auto_submitted="auto-replied")
    assert store.known.automatic_mails(["ann@example.com"], START, None) == 1
    store.known.prune(LATER, 100)
    assert store.known.automatic_mails(["ann@example.com"], START, None) == 0


def test_a_mail_is_known_after_its_interaction_is_gone(store: Store) -> None:
    desk = Desk(store)
    mail = letter(message_id="<q@x>")
    question = desk.one(mail)
    store.interactions.prune(LATER, 100)
    reply = desk.one(letter(in_reply_to="<q@x>"))
    assert (reply.thread_id, reply.parent_id) == (question.id, question.id)
    assert desk.take(b"Received: again\r\n" + mail) == []


def test_of_very_many_recipients_the_first_are_remembered(store: Store) -> None:
    everybody = ", ".join(f"r{number}@x.example" for number in range(3_000))
    entry = Desk(store).one(letter(cc=everybody))
    assert store.known.takes_part(entry.id, "r100@x.example")
    assert not store.known.takes_part(entry.id, "r2999@x.example")
