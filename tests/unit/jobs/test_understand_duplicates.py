"""The same mail is one interaction, however often it comes; another mail under its Message-ID is another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from emaild.store import Store
from tests.clock import START
from tests.said import Said
from tests.understanding import Desk, letter

MAIL = letter("Hello", message_id="<m@example.com>")
COPY = b"Received: by another way\r\n" + MAIL
OTHER = letter("Something else", message_id="<m@example.com>")


def count(store: Store) -> int:
    return len(list(store.interactions.all()))


def test_a_mail_that_came_another_way_is_the_same_interaction(store: Store, said: Said) -> None:
    desk = Desk(store)
    first = desk.one(MAIL)
    assert desk.take(COPY) == []
    assert count(store) == 1
    told = said.one("mail.duplicate")
    assert (told["interaction"], told["section"]) == (first.id, "pop-client")


def test_the_same_mail_twice_in_one_batch_is_one_interaction(store: Store, said: Said) -> None:
    (entry,) = Desk(store).take(MAIL, COPY)
    assert count(store) == 1
    assert said.one("mail.duplicate")["interaction"] == entry.id


def test_another_content_under_the_same_message_id_is_another_interaction(store: Store, said: Said) -> None:
    desk = Desk(store)
    first, second = desk.one(MAIL), desk.one(OTHER)
    assert second.subtype == "InboundNew"
    assert second.thread_id == second.id
    told = said.one("mail.message_id_reused")
    assert (told["interaction"], told["other"], told["message_id"]) == (second.id, first.id, "<m@example.com>")
    assert desk.take(COPY, OTHER) == []
    assert said.names.count("mail.duplicate") == 2


def test_without_a_message_id_only_the_same_bytes_are_the_same_mail(store: Store, said: Said) -> None:
    desk = Desk(store)
    mail = letter("Hello", message_id=None)
    desk.one(mail)
    desk.one(b"Received: by another way\r\n" + mail)
    assert count(store) == 2
    looked = desk.understand(mail)
    assert desk.keep(looked) == {looked[0][0].key}
    assert count(store) == 2


def test_without_the_check_only_the_same_bytes_are_the_same_mail(store: Store, said: Said) -> None:
    desk = Desk(store, enable_message_id_check=False)
    first, second = desk.take(MAIL, COPY)
    assert first.id != second.id
    desk.keep(desk.understand(MAIL))
    assert count(store) == 2
    assert desk.one(OTHER)
    assert "mail.message_id_reused" not in said.names


def test_a_mail_that_lies_in_two_mailboxes_is_one_interaction(store: Store) -> None:
    first = Desk(store)
    second = Desk(store, name="pop-client1", box={"mailbox": "sales@shop.example"})
    first.one(MAIL)
    assert second.take(MAIL) == []
    assert second.take(COPY) == []


def test_or_one_of_each_mailbox_in_the_same_thread(store: Store) -> None:
    options: dict[str, Any] = {"enable_same_mail_from_mailboxes": True}
    first = Desk(store, **options)
    second = Desk(store, name="pop-client1", box={"mailbox": "sales@shop.example"}, **options)
    one, two = first.one(MAIL), second.one(COPY)
    assert (two.subtype, two.thread_id, two.parent_id) == ("InboundNew", one.id, None)
    assert first.take(COPY) == []
    assert second.take(MAIL) == []
    assert count(store) == 2


def test_of_several_that_are_there_the_first_is_told(store: Store, said: Said) -> None:
    first, _ = (
        Desk(store, name=name, box={"mailbox": name}, enable_same_mail_from_mailboxes=True).one(MAIL, at=at)
        for name, at in (("a", START), ("b", START + timedelta(seconds=1)))
    )
    assert Desk(store).take(COPY) == []
    assert said.one("mail.duplicate")["interaction"] == first.id


@pytest.mark.parametrize("everywhere", [True, False])
def test_two_mailboxes_that_look_at_the_same_moment_store_it_once(store: Store, *, everywhere: bool) -> None:
    """Neither knows of the other when it looks; the commit tells."""
    options: dict[str, Any] = {"enable_same_mail_from_mailboxes": not everywhere}
    first = Desk(store, **options)
    second = Desk(store, name="pop-client1", box={"mailbox": "sales@shop.example"}, **options)
    answer = letter("So what?", in_reply_to="<m@example.com>")
    ours, theirs = first.understand(MAIL), second.understand(COPY, answer)
    assert first.keep(ours) == frozenset()
    assert second.keep(theirs) == ({theirs[0][0].key} if everywhere else frozenset())
    assert count(store) == (2 if everywhere else 3)
    root = ours[0][1].interactions[0].id if everywhere else theirs[0][1].interactions[0].id
    (answered,) = (entry for entry in store.interactions.all() if entry.facts.subject == "So what?")
    assert (answered.thread_id, answered.parent_id) == (root, root)


def test_a_mail_of_ours_that_comes_back_in_is_taken_and_stays_in_its_thread(store: Store) -> None:
    desk = Desk(store, enable_mail_loops=True)
    sent = desk.send("support@shop.example")
    back = desk.one(store.outbox.raw(store.outbox.get(sent.id)[0]))
    assert (back.thread_id, back.subtype) == (sent.id, "InboundNew")


def test_what_was_forgotten_is_a_new_mail(store: Store) -> None:
    desk = Desk(store)
    first = desk.one(MAIL)
    assert store.known.prune(first.received.replace(year=2030), 100) == 1
    assert desk.one(COPY).id != first.id
