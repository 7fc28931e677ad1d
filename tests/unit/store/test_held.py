"""Held mails and marks: what our own code failed on stays as it came, and what it looked at is known after a crash."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from emaild.errors import NotFound, StoreFailed
from emaild.message import Inbound, Understood, new_id
from emaild.store import Store
from emaild.store.held import HeldMail, How
from emaild.store.raw import digest
from tests.clock import START
from tests.full_disk import no_more_bytes
from tests.samples import kept, mail, taken

ACCOUNT = "imap:ann@example.com/INBOX"
OTHER = "imap:bob@example.com/INBOX"
RAW = b"Subject: bad\r\n\r\n\xff\x00"


def held(key: str, *, raw: bytes = RAW, account: str = ACCOUNT) -> tuple[HeldMail, Inbound]:
    """A mail that raised."""
    entry = HeldMail(
        id=new_id(START),
        account=account,
        mailbox="pop-client",
        key=key,
        raw_digest=digest(raw),
        at=START,
        how=How.RAISED,
        traceback="Traceback (most recent call last):\n  a place\nValueError: no sense\n",
    )
    return entry, Inbound(key=key, raw=raw)


def hold(store: Store, key: str, *, settled: bool = False, raw: bytes = RAW, account: str = ACCOUNT) -> HeldMail:
    entry, inbound = held(key, raw=raw, account=account)
    assert store.held.hold(entry, inbound, settled=settled)
    return entry


def became(raw: bytes) -> Understood:
    """What these bytes become once they can be read."""
    _, entry = taken("", raw)
    return Understood(interactions=(entry,), digest=entry.raw_digest)


# Held mails


def test_a_held_mail_comes_back_as_it_was_byte_for_byte(store: Store) -> None:
    entry = hold(store, "1")
    assert store.held.get(entry.id.lower()) == entry
    assert store.held.raw(entry) == RAW
    assert entry.error == "ValueError: no sense"


def test_its_key_was_taken_and_the_server_is_still_to_be_told(store: Store) -> None:
    hold(store, "1")
    hold(store, "2", raw=mail(), settled=True)
    assert store.interactions.unknown(ACCOUNT, ["1", "2", "3"]) == ["3"]
    assert store.interactions.unsettled(ACCOUNT) == ["1"]


def test_they_are_listed_the_oldest_first(store: Store) -> None:
    first, second = held("1"), held("2", raw=mail())
    later = replace(first[0], at=START + timedelta(hours=1))
    store.held.hold(later, first[1], settled=True)
    store.held.hold(*second, settled=True)
    assert list(store.held.all()) == [second[0], later]


def test_the_same_key_or_the_same_bytes_are_held_once_an_account(store: Store) -> None:
    hold(store, "1")
    assert not store.held.hold(*held("1"), settled=True)
    assert not store.held.hold(*held("renumbered"), settled=True)
    assert store.interactions.unknown(ACCOUNT, ["renumbered"]) == []
    hold(store, "1", account=OTHER)
    assert sorted(entry.account for entry in store.held.all()) == [ACCOUNT, OTHER]


def test_nothing_is_held_where_there_is_no_room(store: Store) -> None:
    with no_more_bytes(), pytest.raises(StoreFailed):
        store.held.hold(*held("1"), settled=True)
    assert list(store.held.all()) == []
    assert store.interactions.unknown(ACCOUNT, ["1"]) == ["1"]


def test_an_id_that_is_not_there_is_an_error_for_a_person(store: Store) -> None:
    with pytest.raises(NotFound, match="no held mail ZZZ; 'emaild inbox --held' lists"):
        store.held.get("ZZZ")


def test_a_mail_that_failed_again_has_the_new_traceback(store: Store) -> None:
    entry = hold(store, "1")
    again = replace(entry, at=START + timedelta(days=1), traceback="KeyError: 7")
    store.held.failed_again(again)
    assert list(store.held.all()) == [again]


def test_a_released_mail_is_an_interaction_with_its_bytes_and_held_no_more(store: Store) -> None:
    entry = hold(store, "1")
    assert store.held.release(entry, RAW, became(RAW))
    assert list(store.held.all()) == []
    (made,) = store.interactions.all()
    assert store.interactions.raw(made) == RAW
    assert store.interactions.unknown(ACCOUNT, ["1"]) == []


def test_it_is_released_once(store: Store) -> None:
    entry = hold(store, "1")
    assert store.held.release(entry, RAW, became(RAW))
    assert not store.held.release(entry, RAW, became(RAW))
    assert len(list(store.interactions.all())) == 1


def test_the_bytes_go_where_nothing_came_of_them(store: Store) -> None:
    entry = hold(store, "1")
    nothing = Understood(interactions=(), digest=entry.raw_digest, duplicate_of="0000000000000000")
    assert store.held.release(entry, RAW, nothing)
    with pytest.raises(NotFound):
        store.held.raw(entry)


def test_pruning_leaves_the_bytes_of_a_held_mail(store: Store) -> None:
    entry = hold(store, "1", account=OTHER)
    kept(store, ACCOUNT, [taken("1", RAW)], settled=True)
    assert store.interactions.prune(START + timedelta(days=1), 10) == 1
    assert store.held.raw(entry) == RAW


# Marks


def test_nobody_is_suspected_who_was_never_looked_at(store: Store) -> None:
    assert store.marks.suspects(ACCOUNT) == {}


def test_what_was_looked_at_and_is_not_stored_is_suspected(store: Store) -> None:
    store.marks.begin(ACCOUNT, ["1", "2", "3"])
    kept(store, ACCOUNT, [taken("2")], settled=True)
    assert store.marks.suspects(ACCOUNT) == {"1": 0, "3": 0}
    assert store.marks.suspects(OTHER) == {}


def test_a_mark_is_void_once_its_mails_are_stored_or_held(store: Store) -> None:
    store.marks.begin(ACCOUNT, ["1", "2"])
    kept(store, ACCOUNT, [taken("1")], settled=True)
    hold(store, "2")
    assert store.marks.suspects(ACCOUNT) == {}


def test_a_mark_that_was_cleared_suspects_nobody(store: Store) -> None:
    store.marks.begin(ACCOUNT, ["1", "2"])
    store.marks.clear(ACCOUNT)
    assert store.marks.suspects(ACCOUNT) == {}


def test_only_ends_of_a_mail_that_was_alone_are_counted(store: Store) -> None:
    store.marks.begin(ACCOUNT, ["1"])
    assert store.marks.suspects(ACCOUNT) == {"1": 0}
    store.marks.begin(ACCOUNT, ["2", "3"])
    assert store.marks.suspects(ACCOUNT) == {"1": 0, "2": 0, "3": 0}
    for count in (1, 2, 3):
        store.marks.begin(ACCOUNT, ["1"], alone=True)
        assert store.marks.suspects(ACCOUNT) == {"1": count, "2": 0, "3": 0}


def test_an_end_is_counted_once_however_often_it_is_asked_for(store: Store) -> None:
    store.marks.begin(ACCOUNT, ["1"], alone=True)
    assert store.marks.suspects(ACCOUNT) == store.marks.suspects(ACCOUNT) == {"1": 1}


def test_a_suspect_that_is_stored_is_one_no_more(store: Store) -> None:
    store.marks.begin(ACCOUNT, ["1", "2"])
    store.marks.suspects(ACCOUNT)
    store.marks.begin(ACCOUNT, ["1"], alone=True)
    kept(store, ACCOUNT, [taken("1")], settled=True)
    assert store.marks.suspects(ACCOUNT) == {"2": 0}
