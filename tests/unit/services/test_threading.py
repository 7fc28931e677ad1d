"""Where the mails that services write belong: their thread, and the mails that they name."""

from __future__ import annotations

import pytest

from emaild.store import Store
from tests.unit.services.bureau import Bureau


@pytest.fixture
def bureau(store: Store) -> Bureau:
    return Bureau(store)


def test_do_not_thread_begins_a_thread(bureau: Bureau) -> None:
    question = bureau.comes()
    result = bureau.call("Acknowledge", question, Text="Hi", DoNotThread="true")
    mail = bureau.mail(result)
    assert result["thread_id"] == result["interaction_id"]
    assert mail["In-Reply-To"] is None
    assert mail["References"] is None
    assert bureau.store.known.by_id([result["outbox_id"]])[result["outbox_id"]].thread_id == result["thread_id"]
    assert result["parent_id"] == question.id
    assert bureau.call("Acknowledge", question, Text="Hi", AssociateNewInteraction="false")["parent_id"] is None


def test_an_answer_belongs_to_the_thread_of_the_mail(bureau: Bureau) -> None:
    first = bureau.comes(message_id="<first@x>")
    second = bureau.comes(in_reply_to="<first@x>")
    result = bureau.call("Acknowledge", second, Text="Hi")
    assert result["thread_id"] == first.thread_id == second.thread_id
    back = bureau.comes("Thanks", in_reply_to=result["message_id"])
    assert (back.thread_id, back.parent_id) == (first.thread_id, result["interaction_id"])


def test_an_answer_to_a_mail_without_an_id_is_in_its_thread_all_the_same(bureau: Bureau) -> None:
    question = bureau.comes(message_id=None)
    result = bureau.call("Acknowledge", question, Text="Hi")
    assert bureau.store.known.by_id([result["outbox_id"]])[result["outbox_id"]].thread_id == question.thread_id


def test_references_keep_the_first_and_the_last(bureau: Bureau) -> None:
    names = [f"<{number}@x>" for number in range(200)]
    question = bureau.comes(message_id="<q@x>", references="\r\n ".join(names))
    raw = bureau.raw(bureau.call("Acknowledge", question, Text="Hi"))
    references = str(bureau.mail(bureau.call("Acknowledge", question, Text="Hi"))["References"]).split()
    assert references == ["<0@x>", *names[-19:], "<q@x>"]
    assert b"<100@x>" not in raw


def test_ids_that_no_header_can_carry_are_not_repeated(bureau: Bureau) -> None:
    strange = bureau.mail(bureau.call("Acknowledge", bureau.comes(message_id="<n\u00e4@x>"), Text="Hi"))
    assert strange["In-Reply-To"] is None
    assert strange["References"] is None
    question = bureau.comes(message_id="<q@x>", references=f"<ok@x> <n\u00e4@x> <{'a' * 2000}@x> <z@x>")
    mail = bureau.mail(bureau.call("Acknowledge", question, Text="Hi"))
    assert mail["References"] == "<ok@x> <z@x> <q@x>"
