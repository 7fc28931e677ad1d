"""What `emaild mailboxes` shows, kept in the store."""

from __future__ import annotations

from datetime import timedelta

from emaild.store import Store
from emaild.store.mailboxes import MailboxStatus
from tests.clock import START

ANN = MailboxStatus(
    name="pop-client-ann",
    state="failing",
    last_poll=START,
    last_mail=START - timedelta(days=1),
    last_error="connect: refused",
    next_due=START + timedelta(minutes=1),
)
BOB = MailboxStatus(name="pop-client-bob", state="waiting")


def test_a_state_comes_back_as_it_was_reported(store: Store) -> None:
    store.mailboxes.report([BOB, ANN], [ANN.name, BOB.name])
    assert list(store.mailboxes.all().values()) == [ANN, BOB]


def test_a_later_report_takes_the_place_of_an_earlier_one(store: Store) -> None:
    store.mailboxes.report([ANN, BOB], [ANN.name, BOB.name])
    well = MailboxStatus(name=ANN.name, state="ok", last_poll=START)
    store.mailboxes.report([well], [ANN.name, BOB.name])
    assert store.mailboxes.all() == {ANN.name: well, BOB.name: BOB}


def test_what_is_not_configured_any_more_is_forgotten(store: Store) -> None:
    store.mailboxes.report([ANN, BOB], [ANN.name, BOB.name])
    store.mailboxes.report([], [BOB.name])
    assert list(store.mailboxes.all()) == [BOB.name]
    store.mailboxes.report([], [])
    assert store.mailboxes.all() == {}
