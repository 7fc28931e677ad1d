"""The mails of a mailbox that is removed with what it brought."""

from __future__ import annotations

import pytest

from emaild.errors import NotFound
from emaild.message import Inbound, new_id
from emaild.store import Store
from emaild.store.held import HeldMail, How
from emaild.store.raw import digest
from tests.clock import START
from tests.samples import kept, mail, taken

ANN, BOB = "imap:ann@example.com/INBOX", "imap:bob@example.com/INBOX"
GONE, THERE = "pop-client-ann", "pop-client-bob"


def hold(store: Store, account: str, mailbox: str, raw: bytes) -> HeldMail:
    """A mail on which our code failed."""
    entry = HeldMail(
        id=new_id(START),
        account=account,
        mailbox=mailbox,
        key="held",
        raw_digest=digest(raw),
        at=START,
        how=How.ENDED,
        traceback="",
    )
    assert store.held.hold(entry, Inbound(key="held", raw=raw), settled=False)
    return entry


def test_all_its_mails_go_and_no_others(store: Store) -> None:
    kept(store, ANN, [taken(str(number), mailbox=GONE) for number in range(450)])
    kept(store, BOB, [taken(str(number), mailbox=THERE) for number in range(3)])
    hold(store, ANN, GONE, b"a")
    stays = hold(store, BOB, THERE, b"b")
    assert (store.removal.count(GONE), store.removal.count(THERE)) == (451, 4)
    assert store.removal.mails(GONE) == 451
    assert (store.removal.count(GONE), store.removal.count(THERE)) == (0, 4)
    assert {entry.mailbox for entry in store.interactions.all()} == {THERE}
    assert store.held.get(stays.id) == stays
    assert store.removal.mails(GONE) == 0


def test_their_bytes_go_unless_another_mailbox_has_the_same(store: Store) -> None:
    shared, own = taken("1", mail(), mailbox=GONE), taken("2", mailbox=GONE)
    others = taken("1", mail(), mailbox=THERE)
    kept(store, ANN, [shared, own])
    kept(store, BOB, [others])
    store.removal.mails(GONE)
    assert store.interactions.raw(others[1]) == mail()
    with pytest.raises(NotFound):
        store.interactions.raw(own[1])


def test_what_was_removed_is_never_taken_again(store: Store) -> None:
    kept(store, ANN, [taken("1", mail(), mailbox=GONE)])
    store.removal.mails(GONE)
    kept(store, ANN, [taken("1", mail(), mailbox=GONE)])
    assert list(store.interactions.all()) == []
