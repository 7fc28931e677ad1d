"""Mails out, from the outbox to the history: every state and each way between two."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from emaild.errors import NotFound
from emaild.message import Outbound, OutboundState, RecipientState
from emaild.store import Store
from emaild.store.outbox import OutboxEntry
from tests.clock import START
from tests.samples import outbound, receipt

SOON = START + timedelta(minutes=5)
WAY = "smtp-client"


def queued(store: Store, *recipients: str) -> Outbound:
    mail = outbound(*recipients)
    store.outbox.add(mail, START)
    return mail


def leased(store: Store, *recipients: str) -> Outbound:
    """A mail that is being sent."""
    queued(store, *recipients)
    found = store.outbox.lease(WAY, START, 60)
    assert found is not None
    return found[0]


def entry(store: Store, mail: Outbound) -> OutboxEntry:
    return store.outbox.get(mail.id)[0]


def states(store: Store, mail: Outbound) -> list[RecipientState]:
    return [one.state for one in entry(store, mail).recipients]


def test_what_is_added_is_queued_and_due_at_once(store: Store) -> None:
    mail = queued(store, "a@b.c", "d@e.f")
    there = entry(store, mail)
    assert (there.state, there.attempts, there.next_attempt) == (OutboundState.QUEUED, 0, START)
    assert [one.address for one in there.recipients] == ["a@b.c", "d@e.f"]
    assert states(store, mail) == [RecipientState.WAITING] * 2
    assert store.outbox.has_due(WAY, START)
    assert not store.outbox.has_due("another", START)
    assert not store.outbox.has_due(WAY, START - timedelta(seconds=1))


def test_what_cannot_be_added_leaves_nothing_behind(store: Store) -> None:
    mail = queued(store)
    with pytest.raises(IntegrityError):
        store.outbox.add(Outbound(**{**vars(outbound()), "id": mail.id}), START)
    assert [there.id for there in store.outbox.all(history=False)] == [mail.id]


def test_a_lease_gives_the_mail_as_it_was_added_and_nobody_else(store: Store) -> None:
    mail = queued(store, "a@b.c", "d@e.f")
    assert store.outbox.lease(WAY, START, 60) == (mail, START)
    assert store.outbox.lease(WAY, START, 60) is None
    assert not store.outbox.has_due(WAY, START)
    assert entry(store, mail).state is OutboundState.SENDING


def test_the_mail_that_is_due_for_longest_goes_first(store: Store) -> None:
    first, second, third = (outbound() for _ in range(3))
    for mail, since in ((third, 2), (first, 0), (second, 1)):
        store.outbox.add(mail, START + timedelta(seconds=since))
    order = [store.outbox.lease(WAY, SOON, 60) for _ in range(3)]
    assert [found[0].id for found in order if found] == [first.id, second.id, third.id]


def test_a_way_out_leases_only_its_own_mails(store: Store) -> None:
    queued(store)
    assert store.outbox.lease("smtp-client-b", SOON, 60) is None


def test_a_lease_that_ran_out_is_anybodys(store: Store) -> None:
    mail = leased(store)
    assert store.outbox.lease(WAY, START + timedelta(seconds=60), 60) is None
    again = store.outbox.lease(WAY, START + timedelta(seconds=61), 60)
    assert again is not None
    assert again[0] == mail


def test_a_renewed_lease_does_not_run_out(store: Store) -> None:
    mail = leased(store)
    store.outbox.renew([mail.id], SOON)
    assert store.outbox.lease(WAY, SOON, 60) is None


def test_a_mail_that_is_not_being_sent_is_not_renewed(store: Store) -> None:
    mail = leased(store)
    store.outbox.release(mail.id, "the way is broken", SOON)
    store.outbox.renew([mail.id], SOON + timedelta(days=1))
    assert store.outbox.has_due(WAY, SOON)


def test_a_mail_that_all_recipients_got_is_sent(store: Store) -> None:
    mail = leased(store, "a@b.c", "d@e.f")
    receipts = [receipt("a@b.c", 250, "ok"), receipt("d@e.f", 251)]
    assert store.outbox.record(mail, receipts, SOON, None) is OutboundState.SENT
    there = entry(store, mail)
    assert (there.attempts, there.finished, there.next_attempt, there.diagnosis) == (1, SOON, None, "")
    assert (there.recipients[0].code, there.recipients[0].text) == ("250", "ok")
    assert store.outbox.lease(WAY, SOON + timedelta(days=1), 60) is None


def test_one_refused_recipient_among_three_is_told_alone(store: Store) -> None:
    mail = leased(store, "a@b.c", "d@e.f", "g@h.i")
    receipts = [receipt("a@b.c", 250), receipt("d@e.f", 550, "no such user"), receipt("g@h.i", 250)]
    assert store.outbox.record(mail, receipts, SOON, SOON) is OutboundState.PARTLY_SENT
    assert states(store, mail) == [RecipientState.SENT, RecipientState.FAILED, RecipientState.SENT]
    assert entry(store, mail).diagnosis == "d@e.f: 550 no such user"


def test_a_mail_that_nobody_gets_has_failed(store: Store) -> None:
    mail = leased(store, "a@b.c", "d@e.f")
    receipts = [receipt("a@b.c", 550), receipt("d@e.f", 554)]
    assert store.outbox.record(mail, receipts, SOON, SOON) is OutboundState.FAILED
    assert entry(store, mail).finished == SOON


def test_only_those_still_waiting_are_tried_again(store: Store) -> None:
    mail = leased(store, "a@b.c", "d@e.f", "g@h.i")
    receipts = [receipt("a@b.c", 250), receipt("d@e.f", 451, "later"), receipt("g@h.i", 550)]
    assert store.outbox.record(mail, receipts, START, SOON) is OutboundState.QUEUED
    there = entry(store, mail)
    assert (there.attempts, there.next_attempt, there.finished) == (1, SOON, None)
    assert store.outbox.lease(WAY, START, 60) is None
    again = store.outbox.lease(WAY, SOON, 60)
    assert again is not None
    assert (again[0].recipients, again[0].attempts) == (("d@e.f",), 1)
    assert store.outbox.record(again[0], [receipt("d@e.f", 250)], SOON, None) is OutboundState.PARTLY_SENT


def test_what_is_given_up_while_some_got_it_is_partly_sent(store: Store) -> None:
    mail = leased(store, "a@b.c", "d@e.f")
    receipts = [receipt("a@b.c", 250), receipt("d@e.f", 451)]
    assert store.outbox.record(mail, receipts, SOON, None) is OutboundState.PARTLY_SENT
    assert states(store, mail) == [RecipientState.SENT, RecipientState.FAILED]


def test_what_is_given_up_while_nobody_got_it_has_expired(store: Store) -> None:
    mail = leased(store, "a@b.c", "d@e.f")
    receipts = [receipt("a@b.c", 451), receipt("d@e.f", 550)]
    assert store.outbox.record(mail, receipts, SOON, None) is OutboundState.EXPIRED


def test_every_try_is_in_the_log(store: Store) -> None:
    mail = leased(store, "a@b.c")
    store.outbox.record(mail, [receipt("a@b.c", 451, "not now")], START, SOON)
    again = store.outbox.lease(WAY, SOON, 60)
    assert again is not None
    store.outbox.record(again[0], [receipt("a@b.c", 250)], SOON, None)
    _, tries = store.outbox.get(mail.id)
    assert [(one.number, one.at, one.way_out, one.outcome) for one in tries] == [
        (1, START, WAY, "a@b.c: 451 not now"),
        (2, SOON, WAY, "sent to 1"),
    ]


def test_a_diagnosis_of_many_recipients_stays_short(store: Store) -> None:
    people = [f"{number}@b.c" for number in range(100)]
    mail = leased(store, *people)
    store.outbox.record(mail, [receipt(one, 550) for one in people], SOON, None)
    assert entry(store, mail).diagnosis.endswith("4@b.c: 550 so be it; and 95 more")


def test_a_mail_that_is_given_back_unsent_is_as_before(store: Store) -> None:
    mail = leased(store, "a@b.c")
    store.outbox.release(mail.id, "connect: refused", SOON)
    there = entry(store, mail)
    assert (there.state, there.attempts, there.next_attempt) == (OutboundState.QUEUED, 0, SOON)
    assert there.diagnosis == "connect: refused"
    assert store.outbox.get(mail.id)[1] == ()
    assert store.outbox.lease(WAY, SOON, 60) == (mail, START)


def test_what_a_dead_daemon_held_is_queued_anew(store: Store) -> None:
    mail = leased(store)
    waiting = queued(store)
    assert store.outbox.resume() == 1
    assert {there.state for there in store.outbox.all(history=False)} == {OutboundState.QUEUED}
    order = [store.outbox.lease(WAY, START, 60) for _ in range(2)]
    assert {found[0].id for found in order if found} == {mail.id, waiting.id}
    assert mail.message_id in {found[0].message_id for found in order if found}


def test_what_waits_for_too_long_expires(store: Store) -> None:
    old = queued(store, "a@b.c")
    new = outbound()
    store.outbox.add(new, SOON)
    (given_up,) = store.outbox.expire(WAY, SOON, SOON)
    assert (given_up.id, given_up.state, given_up.finished) == (old.id, OutboundState.EXPIRED, SOON)
    assert given_up.diagnosis == "it was not sent in time"
    assert states(store, old) == [RecipientState.FAILED]
    assert [there.id for there in store.outbox.all(history=False)] == [new.id]


def test_what_expires_says_why_it_was_not_sent(store: Store) -> None:
    mail = leased(store, "a@b.c")
    store.outbox.record(mail, [receipt("a@b.c", 451, "not now")], START, SOON)
    (given_up,) = store.outbox.expire(WAY, SOON, SOON)
    assert (given_up.diagnosis, given_up.attempts) == ("a@b.c: 451 not now", 1)


def test_what_nobody_sends_any_more_expires_too(store: Store) -> None:
    mail = leased(store)
    assert store.outbox.expire(WAY, SOON, START + timedelta(seconds=60)) == []
    assert [given_up.id for given_up in store.outbox.expire(WAY, SOON, START + timedelta(seconds=61))] == [mail.id]


def test_what_is_being_sent_or_goes_another_way_does_not_expire(store: Store) -> None:
    leased(store)
    mail = queued(store)
    assert store.outbox.expire("smtp-client-b", SOON, SOON) == []
    assert [given_up.id for given_up in store.outbox.expire(WAY, SOON, START)] == [mail.id]


def test_outbox_and_history_are_apart_and_the_newest_comes_first(store: Store) -> None:
    mails = [queued(store, "a@b.c") for _ in range(220)]
    for mail in mails[::20]:
        store.outbox.record(mail, [receipt("a@b.c", 250)], START, None)
    newest_first = sorted((mail.id for mail in mails), reverse=True)
    done = {mail.id for mail in mails[::20]}
    assert [there.id for there in store.outbox.all(history=True)] == [name for name in newest_first if name in done]
    waiting = [name for name in newest_first if name not in done]
    assert [there.id for there in store.outbox.all(history=False)] == waiting
    assert [there.id for there in store.outbox.all(history=False, limit=201)] == waiting[:201]


def test_a_mail_that_is_not_there_is_an_error_for_a_person(store: Store) -> None:
    with pytest.raises(NotFound, match="no mail ZZZ in outbox or history"):
        store.outbox.get("zzz")


def test_the_bytes_in_the_outbox_are_those_that_were_added(store: Store) -> None:
    mail = queued(store)
    assert store.outbox.raw(entry(store, mail)) == mail.raw
    assert store.outbox.get(mail.id.lower())[0].id == mail.id
