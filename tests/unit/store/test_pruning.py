"""What is old goes in small steps; mails that something still needs stay."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emaild.errors import NotFound
from emaild.store import Store
from tests.clock import START
from tests.samples import answered, in_history, in_outbox, kept, lease_of, leased, mail, outbound, taken

ACCOUNT = "pop3:ann@example.com"
LATER = START + timedelta(days=10)


def test_only_so_many_go_at_once(store: Store) -> None:
    kept(store, ACCOUNT, [taken(str(number)) for number in range(25)], settled=True)
    assert [store.interactions.prune(LATER, 10) for _ in range(4)] == [10, 10, 5, 0]
    assert list(store.interactions.all()) == []


def test_only_what_is_older_goes(store: Store) -> None:
    old, new = taken("1"), taken("2", received=LATER)
    kept(store, ACCOUNT, [old, new], settled=True)
    assert store.interactions.prune(LATER, 10) == 1
    assert [entry.id for entry in store.interactions.all()] == [new[1].id]


def test_the_mail_goes_with_its_interaction(store: Store) -> None:
    _, entry = pair = taken("1")
    kept(store, ACCOUNT, [pair], settled=True)
    store.interactions.prune(LATER, 10)
    with pytest.raises(NotFound):
        store.interactions.raw(entry)


def test_a_mail_stays_while_another_interaction_has_the_same_bytes(store: Store) -> None:
    raw = mail()
    old, new = taken("1", raw), taken("1", raw, received=LATER)
    kept(store, ACCOUNT, [old], settled=True)
    kept(store, "another", [new], settled=True)
    store.interactions.prune(LATER, 10)
    assert store.interactions.raw(new[1]) == raw


def test_a_mail_stays_while_it_waits_in_the_outbox(store: Store) -> None:
    raw = mail()
    old = taken("1", raw)
    kept(store, ACCOUNT, [old], settled=True)
    store.outbox.add(outbound(raw=raw), START)
    store.interactions.prune(LATER, 10)
    (lease,) = leased(store)
    assert lease.mail.raw == raw


def test_what_was_pruned_is_never_taken_again(store: Store) -> None:
    raw = mail()
    kept(store, ACCOUNT, [taken("1", raw)], settled=True)
    store.interactions.prune(LATER, 10)
    assert store.interactions.unknown(ACCOUNT, ["1"]) == []
    assert kept(store, ACCOUNT, [taken("2", raw)], settled=True) == {"2"}
    assert list(store.interactions.all()) == []


def test_history_goes_with_recipients_tries_and_mail(store: Store) -> None:
    sent, waiting = outbound("a@b.c"), outbound("a@b.c")
    store.outbox.add(sent, START)
    answered(store, lease_of(store, sent), 250)
    store.outbox.add(waiting, START)
    (entry,) = in_history(store)
    assert store.outbox.prune(LATER, 10) == 1
    assert in_history(store) == []
    assert [left.id for left in in_outbox(store)] == [waiting.id]
    with pytest.raises(NotFound):
        store.outbox.raw(entry)


def test_history_goes_by_when_a_mail_was_done_and_in_steps(store: Store) -> None:
    for number in range(5):
        refused = outbound("a@b.c")
        store.outbox.add(refused, START)
        answered(store, lease_of(store, refused), 550, at=START + timedelta(days=number))
    before = START + timedelta(days=3)
    assert [store.outbox.prune(before, 2) for _ in range(3)] == [2, 1, 0]
    assert len(in_history(store)) == 2
