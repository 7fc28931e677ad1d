"""Interactions and what was fetched from where: one commit, and nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from sqlite3 import IntegrityError

import pytest

from emaild.errors import NotFound
from emaild.message import (
    Attachment,
    Facts,
    Inbound,
    Interaction,
    InteractionState,
    Report,
    ReportedRecipient,
    ReportKind,
)
from emaild.store import Store
from tests.clock import START
from tests.samples import kept, mail, taken

ACCOUNT = "imap:ann@example.com/INBOX"
OTHER = "imap:bob@example.com/INBOX"


def keep(store: Store, *mails: tuple[Inbound, Interaction], account: str = ACCOUNT) -> frozenset[str]:
    return kept(store, account, mails, settled=False)


def ids(entries: Sequence[Interaction]) -> list[str]:
    return [entry.id for entry in entries]


def test_what_is_kept_is_there_byte_for_byte(store: Store) -> None:
    raw = bytes(range(256)) + b"\r\n.\r\n\n\r"
    inbound, entry = taken("1", raw)
    keep(store, (inbound, entry))
    assert store.interactions.raw(store.interactions.get(entry.id)) == raw


def test_an_interaction_comes_back_as_it_was_but_for_its_texts(store: Store) -> None:
    inbound, plain = taken("1")
    said = Facts(
        subject="Grüße \N{PILE OF POO}",
        sender="ann@example.com",
        sender_personal="Ännchen",
        reply_to=("ann@home.example",),
        to=("a@b.c", "d@e.f"),
        cc=("g@h.i",),
        return_path="",
        message_id="<1@x>",
        in_reply_to="<0@x>",
        references=("<a@x>", "<0@x>"),
        enclosed_ids=("<e@x>",),
        date=datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
        text="a text",
        html="<p>a text</p>",
        attachments=(Attachment(name="ä.pdf", content_type="application/pdf", size=7, content_id="x", inline=True),),
        automatic="a machine",
        report=Report(
            kind=ReportKind.DSN,
            recipients=(ReportedRecipient(address="b@c.d", action="failed", status="5.1.1", diagnostic="no"),),
            original_message_id="<o@x>",
            envelope_id="E",
            user_data={"_DSNInfo.x": "y", "n": 1},
        ),
        wrapped="it is broken",
    )
    data: dict[str, str | int] = {"Mailbox": "a@b.c", "_AutoReplyCount": 3}
    entry = replace(plain, facts=said, user_data=data, parent_id="0000000000000000", state=InteractionState.PENDING)
    keep(store, (inbound, entry))
    assert store.interactions.get(entry.id) == replace(entry, number=1, facts=replace(said, text="", html=""))


def test_an_id_is_found_without_regard_to_case(store: Store) -> None:
    inbound, entry = taken("1")
    keep(store, (inbound, entry))
    assert store.interactions.get(entry.id.lower()).id == entry.id


def test_an_id_that_is_not_there_is_an_error_for_a_person(store: Store) -> None:
    with pytest.raises(NotFound, match="no interaction ZZZ; 'emaild inbox' lists"):
        store.interactions.get("ZZZ")


def test_what_was_never_taken_is_unknown_in_its_order(store: Store) -> None:
    keep(store, taken("2"), taken("3"))
    assert store.interactions.unknown(ACCOUNT, ["4", "3", "1", "2"]) == ["4", "1"]
    assert store.interactions.unknown(OTHER, ["2", "3"]) == ["2", "3"]
    assert store.interactions.unknown(ACCOUNT, []) == []


def test_many_thousand_keys_can_be_asked_for(store: Store) -> None:
    keep(store, taken("77"))
    keys = [str(number) for number in range(40_000)]
    assert len(store.interactions.unknown(ACCOUNT, keys)) == 39_999


def test_what_is_skipped_is_never_unknown_again(store: Store) -> None:
    keys = [str(number) for number in range(1_200)]
    store.interactions.remember(ACCOUNT, "here", keys)
    assert store.interactions.unknown(ACCOUNT, [*keys, "new"]) == ["new"]
    assert store.interactions.unsettled(ACCOUNT) == []


def test_skipping_what_was_taken_changes_nothing_of_it(store: Store) -> None:
    keep(store, taken("1"))
    store.interactions.remember(ACCOUNT, "here", ["1", "2"])
    assert store.interactions.unsettled(ACCOUNT) == ["1"]


def test_where_reading_stands_is_remembered_by_account(store: Store) -> None:
    assert store.interactions.cursor(ACCOUNT) is None
    store.interactions.remember(ACCOUNT, "a")
    store.interactions.settle(ACCOUNT, [], "b")
    assert store.interactions.cursor(ACCOUNT) == "b"
    assert store.interactions.cursor(OTHER) is None


def test_what_is_kept_is_unsettled_until_the_server_was_told(store: Store) -> None:
    keep(store, taken("1"), taken("2"), taken("3"))
    assert sorted(store.interactions.unsettled(ACCOUNT)) == ["1", "2", "3"]
    store.interactions.settle(ACCOUNT, ["1", "3"], "here")
    assert store.interactions.unsettled(ACCOUNT) == ["2"]
    assert store.interactions.unsettled(OTHER) == []


def test_where_the_server_need_not_be_told_all_is_settled_at_once(store: Store) -> None:
    kept(store, ACCOUNT, [taken("1")], settled=True)
    assert store.interactions.unsettled(ACCOUNT) == []


def test_a_key_that_was_taken_is_not_taken_again(store: Store) -> None:
    keep(store, taken("1"))
    assert keep(store, taken("1")) == {"1"}
    assert len(list(store.interactions.all())) == 1


def test_the_same_bytes_under_two_keys_of_an_account_stay_one_interaction(store: Store) -> None:
    raw = mail()
    first = taken("1", raw)
    assert keep(store, first) == frozenset()
    assert keep(store, taken("2", raw), taken("3")) == {"2"}
    assert store.interactions.unknown(ACCOUNT, ["1", "2", "3"]) == []
    assert sorted(store.interactions.unsettled(ACCOUNT)) == ["1", "2", "3"]
    assert first[1].id in ids(list(store.interactions.all()))
    assert len(list(store.interactions.all())) == 2


def test_the_same_bytes_twice_in_one_batch_stay_one_interaction(store: Store) -> None:
    raw = mail()
    assert keep(store, taken("1", raw), taken("2", raw)) == {"2"}
    assert len(list(store.interactions.all())) == 1


def test_the_same_bytes_in_two_accounts_are_two_interactions(store: Store) -> None:
    raw = mail()
    keep(store, taken("1", raw))
    assert keep(store, taken("1", raw), account=OTHER) == frozenset()
    entries = list(store.interactions.all())
    assert len(entries) == 2
    assert {store.interactions.raw(entry) for entry in entries} == {raw}


def test_a_batch_that_fails_changes_nothing(store: Store) -> None:
    there = taken("1")
    keep(store, there)
    good, (inbound, entry) = taken("2"), taken("3")
    with pytest.raises(IntegrityError):
        keep(store, good, (inbound, replace(entry, id=there[1].id)))
    assert ids(list(store.interactions.all())) == [there[1].id]
    assert store.interactions.unknown(ACCOUNT, ["2", "3"]) == ["2", "3"]
    with pytest.raises(NotFound):
        store.interactions.raw(good[1])
    keep(store, good)


def test_the_newest_come_first_however_many_there_are(store: Store) -> None:
    mails = [taken(str(number), received=START + timedelta(seconds=number // 3)) for number in range(450)]
    keep(store, *mails)
    expected = sorted(((entry.received, entry.id) for _, entry in mails), reverse=True)
    assert [(entry.received, entry.id) for entry in store.interactions.all()] == expected


@pytest.mark.parametrize("limit", [1, 199, 200, 201, 400, 449, 450, 1000])
def test_a_limit_gives_that_many(store: Store, limit: int) -> None:
    keep(store, *(taken(str(number), b"%d" % number) for number in range(450)))
    assert len(ids(list(store.interactions.all(limit)))) == min(limit, 450)


def test_what_arrives_while_pages_are_read_neither_repeats_nor_hides_anything(store: Store) -> None:
    keep(store, *(taken(str(number), received=START + timedelta(seconds=number)) for number in range(300)))
    pages = store.interactions.all()
    seen = [next(pages).id]
    keep(store, taken("new", received=START + timedelta(hours=1)))
    seen += [entry.id for entry in pages]
    assert len(seen) == len(set(seen)) == 300
