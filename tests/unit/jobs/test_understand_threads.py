"""Which thread a mail belongs to: by what it answers, by our token, by its subject; and nobody into a stranger's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emaild.message import TOKEN, Interaction, token
from emaild.store import Store
from tests.clock import START
from tests.understanding import Desk, letter

MALLORY = "Mallory <mallory@example.org>"


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def begins(entry: Interaction) -> bool:
    """Whether it is the root of a thread of its own."""
    return (entry.subtype, entry.thread_id, entry.parent_id) == ("InboundNew", entry.id, None)


def follows(entry: Interaction, thread: str, parent: str | None) -> bool:
    return (entry.subtype, entry.thread_id, entry.parent_id) == ("InboundCustomerReply", thread, parent)


def test_an_answer_to_a_mail_of_ours_belongs_to_the_thread_of_what_that_answered(desk: Desk) -> None:
    question = desk.one(letter(message_id="<q@example.com>"))
    assert begins(question)
    answer = desk.send(in_reply_to="<q@example.com>")
    assert desk.thread_of(answer) == question.id
    assert follows(desk.one(letter(in_reply_to=answer.message_id)), question.id, answer.id)


def test_a_mail_out_that_answers_nothing_is_the_root_of_its_thread(desk: Desk) -> None:
    sent = desk.send()
    assert desk.thread_of(sent) == sent.id
    assert follows(desk.one(letter(in_reply_to=sent.message_id)), sent.id, sent.id)


def test_a_mail_out_joins_the_thread_that_its_last_known_reference_names(desk: Desk) -> None:
    first, second = (desk.one(letter(message_id=f"<{name}@x>")) for name in "ab")
    assert desk.thread_of(desk.send(references="<a@x> <b@x> <gone@x>")) == second.id
    assert desk.thread_of(desk.send(references="<b@x> <a@x>")) == first.id


def test_what_is_answered_directly_counts_more_than_references_and_the_last_of_these_most(desk: Desk) -> None:
    one, two, three = (desk.one(letter(message_id=f"<{number}@x>")) for number in "123")
    assert follows(desk.one(letter(in_reply_to="<1@x>", references="<2@x> <3@x>")), one.id, one.id)
    assert follows(desk.one(letter(in_reply_to="<unknown@x>", references="<2@x> <3@x>")), three.id, three.id)
    assert follows(desk.one(letter(references="<2@x> <unknown@x>")), two.id, two.id)


def test_of_very_many_references_the_last_are_looked_at(desk: Desk) -> None:
    root = desk.one(letter(message_id="<root@x>"))
    others = " ".join(f"<{number}@y>" for number in range(1000))
    assert follows(desk.one(letter(references=f"{others} <root@x>")), root.id, root.id)
    assert begins(desk.one(letter(references=f"<root@x> {others}")))


def test_a_thread_that_is_only_answered_needs_no_check_of_the_sender(desk: Desk) -> None:
    """Whoever has the Message-ID has the mail: a colleague to whom it was forwarded, or another address of hers."""
    sent = desk.send()
    assert follows(desk.one(letter(sender="bob@other.example", in_reply_to=sent.message_id)), sent.id, sent.id)


def test_a_reply_prefix_alone_says_nothing(desk: Desk) -> None:
    desk.one(letter("My order"))
    assert begins(desk.one(letter("RE: My order")))


def test_mails_of_one_batch_know_of_those_before_them(desk: Desk) -> None:
    question, answer, late = desk.take(
        letter(message_id="<q@x>"), letter(in_reply_to="<q@x>", message_id="<a@x>"), letter(references="<a@x>")
    )
    assert follows(answer, question.id, question.id)
    assert follows(late, question.id, answer.id)


def test_what_was_understood_and_never_stored_is_not_known(desk: Desk) -> None:
    desk.understand(letter(message_id="<lost@x>"))
    assert begins(desk.one(letter(in_reply_to="<lost@x>")))


# Our token


def test_a_token_is_found_as_it_is_written() -> None:
    assert TOKEN.findall(f"RE: {token('0123456789ABCDEF')} order") == ["0123456789ABCDEF"]
    assert TOKEN.findall("[#0123456789ABCDE] [#0123456789abcdef] [0123456789ABCDEF] [#0123456789ABCDEFG]") == []


@pytest.mark.parametrize("place", ["subject", "references"])
def test_our_token_in_the_subject_or_in_a_message_id_names_the_thread(desk: Desk, place: str) -> None:
    sent = desk.send("ann@example.com")
    mail = (
        letter(f"AW: {token(sent.id)} order")
        if place == "subject"
        else letter(references=f"<{sent.id}.1@rewritten.example>")
    )
    assert follows(desk.one(mail), sent.id, sent.id)


def test_a_token_names_an_interaction_as_well(desk: Desk) -> None:
    question = desk.one(letter())
    assert follows(desk.one(letter(f"Once more {token(question.id)}")), question.id, question.id)


@pytest.mark.parametrize("place", ["subject", "message id", "text of subjects"])
def test_nobody_writes_into_a_strangers_thread(store: Store, place: str) -> None:
    desk = Desk(store, subject_threading_substrings=("Case #*",))
    question = desk.one(letter("Case #77"))
    mails = {
        "subject": letter(f"Hello {token(question.id)}", sender=MALLORY),
        "message id": letter(in_reply_to=f"<{question.id}@shop.example>", sender=MALLORY),
        "text of subjects": letter("Case #77", sender=MALLORY),
    }
    assert begins(desk.one(mails[place]))


def test_whoever_got_a_mail_of_the_thread_may_write_into_it_by_token(desk: Desk) -> None:
    question = desk.one(letter(cc="Bob <BOB@example.com>", reply_to="ann@home.example"))
    desk.send("carol@example.com", references=question.facts.message_id or "")
    for sender in ("bob@example.com", "Ann@Home.example", "carol@example.com"):
        assert follows(desk.one(letter(token(question.id), sender=sender)), question.id, question.id)


def test_our_own_address_among_the_recipients_opens_a_thread_to_nobody(store: Store) -> None:
    desk = Desk(store, enable_mail_loops=True)
    question = desk.one(letter(to="support@shop.example"))
    assert begins(desk.one(letter(token(question.id), sender="Support@Shop.example")))


def test_a_token_that_names_nothing_begins_a_thread(desk: Desk) -> None:
    assert begins(desk.one(letter("[#0123456789ABCDEF]")))


# Texts in subjects


def test_mails_of_one_address_with_the_same_text_in_the_subject_belong_together(store: Store) -> None:
    desk = Desk(store, subject_threading_substrings=("Case #*", "Order-????"))
    first = desk.one(letter("Case #77: broken"))
    other = desk.one(letter("Case #78: broken"))
    assert begins(other)
    assert follows(desk.one(letter("news of case #77: it is whole")), first.id, None)
    order = desk.one(letter("Order-AB12"))
    assert follows(desk.one(letter("Fwd: ORDER-ab12!")), order.id, None)
    assert begins(desk.one(letter("Order-AB")))
    spaced = desk.one(letter("Order-A B1"))
    assert begins(spaced)
    assert begins(desk.one(letter("Order-A B1")))


def test_a_text_in_the_subject_of_a_mail_out_counts_for_its_recipients(store: Store) -> None:
    desk = Desk(store, subject_threading_substrings=("Case #*",))
    sent = desk.send("ann@example.com", "Your Case #9")
    assert follows(desk.one(letter("Case #9")), sent.id, None)


def test_mails_of_one_batch_are_found_by_their_subjects(store: Store) -> None:
    desk = Desk(store, subject_threading_substrings=("Case #*",))
    first, second, third = desk.take(letter("Case #1"), letter("Case #1"), letter("Case #1", sender=MALLORY))
    assert follows(second, first.id, None)
    assert begins(third)


def test_without_the_option_no_text_in_the_subject_counts(desk: Desk) -> None:
    desk.one(letter("Case #77"))
    assert begins(desk.one(letter("Case #77")))


# The window


@pytest.mark.parametrize("way", ["message id", "token", "text of subjects"])
def test_a_thread_takes_no_mail_after_its_window(store: Store, way: str) -> None:
    desk = Desk(store, thread_window=30, subject_threading_substrings=("Case #*",))
    question = desk.one(letter("Case #5", message_id="<q@x>"))
    mails = {
        "message id": lambda: letter(in_reply_to="<q@x>"),
        "token": lambda: letter(token(question.id)),
        "text of subjects": lambda: letter("Case #5"),
    }
    last = START + timedelta(days=30)
    assert desk.one(mails[way](), at=last).thread_id == question.id
    assert desk.one(mails[way](), at=last + timedelta(days=30)).thread_id == question.id  # since its last mail
    assert begins(desk.one(mails[way](), at=last + timedelta(days=60, seconds=1)))


def test_a_mail_out_keeps_its_thread_open(store: Store) -> None:
    desk = Desk(store, thread_window=30)
    question = desk.one(letter(message_id="<q@x>"))
    desk.send(in_reply_to="<q@x>", at=START + timedelta(days=20))
    assert desk.one(letter(in_reply_to="<q@x>"), at=START + timedelta(days=40)).thread_id == question.id


def test_without_a_window_a_thread_is_open_for_ever(desk: Desk) -> None:
    question = desk.one(letter(message_id="<q@x>"))
    assert desk.one(letter(in_reply_to="<q@x>"), at=START + timedelta(days=9999)).thread_id == question.id
