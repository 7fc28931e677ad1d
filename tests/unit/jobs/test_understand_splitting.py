"""copy-message-to-recipients: one mail, an interaction for each recipient, the bytes once."""

from __future__ import annotations

import pytest

from emaild.store import Store
from tests.said import Said
from tests.understanding import Desk, letter

SPLIT = {"copy_message_to_recipients": True}


def copied_to(store: Store, mail: bytes, **box: object) -> list[object]:
    return [entry.user_data.get("X-Genesys-To") for entry in Desk(store, box={**SPLIT, **box}).take(mail)]


def test_each_recipient_of_to_and_cc_gets_an_interaction(store: Store) -> None:
    mail = letter(to="support@shop.example, Bob <bob@x.example>", cc="carol@x.example")
    entries = Desk(store, box=SPLIT).take(mail)
    names = ["support@shop.example", "bob@x.example", "carol@x.example"]
    assert [entry.user_data["X-Genesys-To"] for entry in entries] == names
    assert [entry.user_data["Header_X-Genesys-To"] for entry in entries] == names
    assert len({entry.id for entry in entries}) == 3
    assert {(entry.thread_id, entry.parent_id) for entry in entries} == {(entries[0].id, None)}
    assert {entry.raw_digest for entry in entries} == {entries[0].raw_digest}
    assert {store.interactions.raw(entry) for entry in entries} == {mail}


def test_a_recipient_who_is_named_twice_gets_one_whatever_its_case(store: Store) -> None:
    mail = letter(to="Bob@X.example, bob@x.example", cc="<BOB@x.example>, carol@x.example")
    assert copied_to(store, mail) == ["Bob@X.example", "carol@x.example"]


def test_groups_and_comments_are_no_recipients(store: Store) -> None:
    mail = letter(to="team: bob@x.example, (our) carol@x.example (not dave@x.example);", cc="undisclosed-recipients:;")
    assert copied_to(store, mail) == ["bob@x.example", "carol@x.example"]


def test_a_mail_to_nobody_becomes_one_interaction_without_the_header(store: Store) -> None:
    assert copied_to(store, letter(to="")) == [None]
    assert copied_to(store, letter(to="undisclosed-recipients:;")) == [None]


def test_the_header_has_the_name_that_the_section_gives(store: Store) -> None:
    (entry,) = Desk(store, box={**SPLIT, "copy_message_with_header": "X-Copy-For"}).take(letter())
    assert (entry.user_data["X-Copy-For"], "X-Genesys-To" in entry.user_data) == ("support@shop.example", False)


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_beyond_the_limit_there_is_no_copy_and_that_is_told(store: Store, said: Said, limit: int) -> None:
    many = ", ".join(f"r{number}@x.example" for number in range(60))
    desk = Desk(store, box={**SPLIT, "inbound_msg_copy_limit": limit})
    entries = desk.take(letter(to=many))
    assert [entry.user_data["X-Genesys-To"] for entry in entries] == [f"r{n}@x.example" for n in range(limit)]
    told = said.one("interaction.copies_dropped")
    assert (told["interaction"], told["copies"], told["dropped"]) == (entries[0].id, limit, 60 - limit)


def test_within_the_limit_nothing_is_told(store: Store, said: Said) -> None:
    Desk(store, box={**SPLIT, "inbound_msg_copy_limit": 2}).take(letter(to="a@x.example, b@x.example"))
    assert "interaction.copies_dropped" not in said.names


def test_without_the_option_there_is_one_interaction_and_no_header(store: Store) -> None:
    entry = Desk(store).one(letter(to="a@x.example, b@x.example"))
    assert "X-Genesys-To" not in entry.user_data


def test_splitting_switches_the_message_id_check_off_for_its_mailbox(store: Store) -> None:
    mail = letter(to="a@x.example, b@x.example", message_id="<m@x>")
    desk = Desk(store, box=SPLIT)
    assert len(desk.take(mail, b"Received: again\r\n" + mail)) == 4
    desk.keep(desk.understand(mail))
    assert len(list(store.interactions.all())) == 4


def test_an_answer_to_a_split_mail_belongs_to_the_thread_of_all_copies(store: Store) -> None:
    desk = Desk(store, box=SPLIT)
    entries = desk.take(letter(to="a@x.example, b@x.example", message_id="<m@x>"))
    sent = desk.send(in_reply_to="<m@x>")
    assert desk.thread_of(sent) == entries[0].id
    answers = desk.take(letter(to="a@x.example, b@x.example", in_reply_to=sent.message_id))
    assert {(entry.thread_id, entry.parent_id, entry.subtype) for entry in answers} == {
        (entries[0].id, sent.id, "InboundCustomerReply")
    }


def test_an_answer_to_a_split_mail_answers_its_first_copy(store: Store) -> None:
    desk = Desk(store, box=SPLIT)
    entries = desk.take(letter(to="a@x.example, b@x.example, c@x.example, d@x.example", message_id="<m@x>"))
    (answer,) = desk.take(letter(in_reply_to="<m@x>"))
    assert (answer.thread_id, answer.parent_id) == (entries[0].id, entries[0].id)


def test_the_mail_stays_while_one_of_its_copies_does(store: Store) -> None:
    mail = letter(to="a@x.example, b@x.example")
    first, second = Desk(store, box=SPLIT).take(mail)
    assert store.interactions.prune(first.received.replace(year=2030), 1) == 1
    left = [entry.id for entry in store.interactions.all()]
    assert left in ([first.id], [second.id])
    assert store.interactions.raw(store.interactions.get(left[0])) == mail
