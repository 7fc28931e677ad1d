"""What a person may do to mails in the outbox, one or all that fit, and what becomes of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from emaild.errors import Conflict, NotFound, WrongState
from emaild.message import Outbound, OutboundState, RecipientState
from emaild.store import Store
from emaild.store.outbox import PAGE
from emaild.store.outbox_entries import Choice, OutboxEntry
from tests.clock import START
from tests.samples import answered, in_outbox, lease_of, leased, outbound, unsent

SOON = START + timedelta(minutes=5)
LATE = START + timedelta(days=99)
WAY = "smtp-client"
STATES = OutboundState


def queued(store: Store, *recipients: str, **how: Any) -> Outbound:
    mail = outbound(*recipients, **how)
    store.outbox.add(mail, START)
    return mail


def entry(store: Store, mail: Outbound) -> OutboxEntry:
    return store.outbox.get(mail.id)[0]


def ended(store: Store, mail: Outbound, *codes: int) -> None:
    answered(store, lease_of(store, mail), *codes, text="so it is")


def test_a_held_mail_is_neither_sent_nor_given_up_until_it_is_let_go(store: Store) -> None:
    mail = queued(store)
    held = store.outbox.hold(mail.id, START)
    assert (held.state, held.next_attempt, held.diagnosis) == (STATES.HELD, None, "held by a person")
    assert leased(store, LATE) == []
    assert store.sending.expire(WAY, LATE, LATE) == []
    assert store.sending.defer(WAY, LATE, LATE, why="", past=None, most=9) == 0
    assert store.sending.reroute(WAY, "another", LATE, why="", most=9) == []
    let_go = store.outbox.retry(mail.id, SOON)
    assert (let_go.state, let_go.next_attempt, let_go.diagnosis) == (STATES.QUEUED, SOON, "")
    assert [one.mail.id for one in leased(store, SOON)] == [mail.id]


def test_a_deferred_mail_that_was_held_is_due_at_once_and_keeps_its_reason(store: Store) -> None:
    mail = queued(store, "a@b.c")
    answered(store, lease_of(store, mail), 451, retry_at=LATE, text="not now")
    store.outbox.hold(mail.id, START)
    let_go = store.outbox.retry(mail.id, SOON)
    assert (let_go.state, let_go.next_attempt) == (STATES.DEFERRED, SOON)
    assert let_go.diagnosis == "a@b.c: 451 not now"


def test_a_mail_that_is_sent_anew_came_when_it_came_first(store: Store) -> None:
    mail = queued(store, "a@b.c")
    for at in (SOON, LATE):
        (lease,) = leased(store, at)
        answered(store, lease, 550, at=at)
        again = store.outbox.retry(mail.id, at)
        assert (again.came, again.created) == (START, at)
    assert [one.id for one in store.outbox.newest(Choice(until=SOON))] == [mail.id]
    assert list(store.outbox.newest(Choice(since=SOON))) == []


def test_a_mail_that_is_held_is_not_held_again(store: Store) -> None:
    held, waits = queued(store), queued(store)
    store.outbox.hold(held.id, START)
    with pytest.raises(WrongState, match="is held already"):
        store.outbox.hold(held.id, START)
    assert [one.id for one in store.outbox.hold_all(Choice(), START)] == [waits.id]


def test_a_mail_that_is_retried_was_never_held_back(store: Store) -> None:
    mail = queued(store)
    store.sending.defer(WAY, START, LATE, why="the limit", past=None, most=9)
    assert store.outbox.retry(mail.id, SOON).deferrals == 0


def test_a_partly_sent_mail_goes_to_the_rest_alone(store: Store) -> None:
    mail = queued(store, "a@b.c", "d@e.f", "g@h.i")
    ended(store, mail, 250, 550, 250)
    assert entry(store, mail).state is STATES.PARTLY_SENT
    store.outbox.retry(mail.id, SOON)
    (again,) = leased(store, SOON)
    assert again.mail.recipients == ("d@e.f",)
    assert answered(store, again, 250, at=SOON) is STATES.SENT
    assert {one.state for one in entry(store, mail).recipients} == {RecipientState.SENT}


def test_a_cancelled_mail_goes_to_nobody_who_did_not_get_it_and_may_come_back(store: Store) -> None:
    mail = queued(store, "a@b.c", "d@e.f")
    answered(store, lease_of(store, mail), 250, 451, retry_at=SOON)
    cancelled = store.outbox.cancel(mail.id, SOON)
    assert (cancelled.state, cancelled.finished, cancelled.cause) == (STATES.CANCELLED, SOON, "")
    assert [one.state for one in cancelled.recipients] == [RecipientState.SENT, RecipientState.FAILED]
    assert leased(store, LATE) == []
    back = store.outbox.retry(mail.id, LATE)
    assert (back.created, back.diagnosis) == (LATE, "")
    (again,) = leased(store, LATE)
    assert again.mail.recipients == ("d@e.f",)


@pytest.mark.parametrize("codes", [(250, 250), (550, 550), (250, 550)])
def test_what_is_done_is_neither_held_nor_cancelled(store: Store, codes: tuple[int, int]) -> None:
    mail = queued(store, "a@b.c", "d@e.f")
    ended(store, mail, *codes)
    for ask in (store.outbox.hold, store.outbox.cancel):
        with pytest.raises(Conflict, match="only one that waits can be"):
            ask(mail.id, SOON)


def test_what_was_sent_to_all_is_not_sent_again(store: Store) -> None:
    mail = queued(store, "a@b.c")
    ended(store, mail, 250)
    with pytest.raises(Conflict, match="nothing to be sent again"):
        store.outbox.retry(mail.id, SOON)
    with pytest.raises(NotFound):
        store.outbox.retry("0" * 16, SOON)


def test_all_that_fit_and_can_are_changed_and_the_others_stay(store: Store) -> None:
    mails = [queued(store, "a@b.c") for _ in range(PAGE + 5)]
    other = queued(store, "x@y.z")
    ended(store, mails[0], 250)
    held = list(store.outbox.hold_all(Choice(recipient="@B.C"), START))
    assert [one.id for one in held] == [mail.id for mail in mails[1:]]
    assert {one.state for one in held} == {STATES.HELD}
    assert entry(store, other).state is STATES.QUEUED
    assert len(list(store.outbox.retry_all(Choice(states=(STATES.HELD,)), SOON))) == PAGE + 4
    assert len(list(store.outbox.cancel_all(Choice(done=False), SOON))) == PAGE + 5
    assert in_outbox(store) == []


def test_mails_are_found_by_all_that_a_choice_says(store: Store) -> None:
    first, second = queued(store, "ann@Shop.example"), queued(store, "bob@x.example", way_out="another")
    third = queued(store, "carol@shop.example", "bob@x.example")
    ended(store, first, 550)
    store.sending.release([unsent(lease_of(store, third), "100% refused_", retry_at=LATE)])

    def found(**given: Any) -> list[str]:
        return [one.id for one in store.outbox.chosen(Choice(**given), after="", most=10)]

    everything = [first.id, second.id, third.id]
    assert found() == everything
    assert (found(done=True), found(done=False)) == ([first.id], [second.id, third.id])
    assert found(states=(STATES.FAILED,)) == [first.id]
    assert found(states=(STATES.FAILED, STATES.DEFERRED)) == [first.id, third.id]
    assert found(states=(STATES.QUEUED, STATES.DEFERRED)) == [second.id, third.id]
    assert found(states=(STATES.QUEUED,), done=True) == []
    assert found(way_out="another") == [second.id]
    assert found(recipient="BOB@x.example") == [second.id, third.id]
    assert found(recipient="@shop.example") == [first.id, third.id]
    assert found(recipient="@xample") == found(recipient="ob@x.example") == []
    assert found(sender="Support@Example.com") == found(sender="@example.com") == everything
    assert found(words="0% refused_") == [third.id]
    assert found(words="0% refused?") == found(words="00_") == []
    assert found(message_id=second.message_id) == found(message_id=second.message_id.strip("<>")) == [second.id]
    assert found(since=START, until=SOON) == everything
    assert found(since=SOON) == found(until=START) == []
    assert found(way_out="another", done=True) == []


def test_what_was_cancelled_is_sent_again_where_it_is_named_and_not_with_all_others(store: Store) -> None:
    cancelled = queued(store)
    store.outbox.cancel(cancelled.id, START)
    failed = queued(store)
    ended(store, failed, 550)
    assert [entry.id for entry in store.outbox.retry_all(Choice(done=True), SOON)] == [failed.id]
    again = store.outbox.retry_all(Choice(states=(STATES.CANCELLED,)), SOON)
    assert [entry.id for entry in again] == [cancelled.id]
