"""Mails out, from the outbox to the history: every state and each way between two."""

from __future__ import annotations

from datetime import timedelta
from sqlite3 import IntegrityError

import pytest

from emaild.errors import NotFound
from emaild.message import Outbound, OutboundState, RecipientState
from emaild.store import Store
from emaild.store.leases import Leased
from emaild.store.outbox_entries import Choice, OutboxEntry
from emaild.store.sending import OVERDUE
from tests.clock import START
from tests.samples import answered, in_history, in_outbox, leased, outbound, unsent

SOON = START + timedelta(minutes=5)
WAY = "smtp-client"


def queued(store: Store, *recipients: str) -> Outbound:
    mail = outbound(*recipients)
    store.outbox.add(mail, START)
    return mail


def sending(store: Store, *recipients: str) -> Leased:
    """A mail that is being sent."""
    queued(store, *recipients)
    (found,) = leased(store)
    return found


def entry(store: Store, mail: Outbound | Leased) -> OutboxEntry:
    return store.outbox.get(mail.id if isinstance(mail, Outbound) else mail.mail.id)[0]


def states(store: Store, mail: Outbound | Leased) -> list[RecipientState]:
    return [one.state for one in entry(store, mail).recipients]


def test_what_is_added_is_queued_and_due_at_once(store: Store) -> None:
    mail = queued(store, "a@b.c", "d@e.f")
    there = entry(store, mail)
    assert (there.state, there.attempts, there.next_attempt) == (OutboundState.QUEUED, 0, START)
    assert [one.address for one in there.recipients] == ["a@b.c", "d@e.f"]
    assert states(store, mail) == [RecipientState.WAITING] * 2
    assert store.sending.has_due(WAY, START)
    assert not store.sending.has_due("another", START)
    assert not store.sending.has_due(WAY, START - timedelta(seconds=1))


def test_what_cannot_be_added_leaves_nothing_behind(store: Store) -> None:
    mail = queued(store)
    with pytest.raises(IntegrityError):
        store.outbox.add(Outbound(**{**vars(outbound()), "id": mail.id}), START)
    assert [there.id for there in in_outbox(store)] == [mail.id]


def test_a_lease_gives_the_mail_as_it_was_added_and_nobody_else(store: Store) -> None:
    mail = queued(store, "a@b.c", "d@e.f")
    assert leased(store) == [Leased(mail=mail, created=START, number=1)]
    assert leased(store) == []
    assert not store.sending.has_due(WAY, START)
    assert entry(store, mail).state is OutboundState.SENDING


def test_the_mail_that_is_due_for_longest_goes_first(store: Store) -> None:
    first, second, third = (outbound() for _ in range(3))
    for mail, since in ((third, 2), (first, 0), (second, 1)):
        store.outbox.add(mail, START + timedelta(seconds=since))
    order = [one.mail.id for _ in range(3) for one in leased(store, SOON)]
    assert order == [first.id, second.id, third.id]


def test_a_way_out_leases_only_its_own_mails(store: Store) -> None:
    queued(store)
    assert leased(store, SOON, way_out="smtp-client-b") == []


def test_a_lease_that_ran_out_is_anybodys(store: Store) -> None:
    lease = sending(store)
    assert store.sending.take_back(START + timedelta(seconds=60)) == 0
    late = START + timedelta(seconds=61)
    assert leased(store, late) == []
    assert store.sending.take_back(late) == 1
    assert leased(store, late) == [Leased(mail=lease.mail, created=START, number=2)]


def test_a_renewed_lease_does_not_run_out(store: Store) -> None:
    lease = sending(store)
    store.sending.renew([lease], SOON)
    assert store.sending.take_back(SOON) == 0


def test_a_mail_that_is_not_being_sent_is_not_renewed(store: Store) -> None:
    lease = sending(store)
    store.sending.release([unsent(lease, "the way is broken", retry_at=SOON)])
    store.sending.renew([lease], SOON + timedelta(days=1))
    assert store.sending.has_due(WAY, SOON)


def test_a_mail_that_all_recipients_got_is_sent(store: Store) -> None:
    mail = sending(store, "a@b.c", "d@e.f")
    assert answered(store, mail, 250, 251, at=SOON, text="ok") is OutboundState.SENT
    there = entry(store, mail)
    assert (there.attempts, there.finished, there.next_attempt, there.diagnosis) == (1, SOON, None, "")
    assert [(one.code, one.text) for one in there.recipients] == [("250", "ok"), ("251", "ok")]
    assert leased(store, SOON + timedelta(days=1)) == []


def test_one_refused_recipient_among_three_is_told_alone(store: Store) -> None:
    mail = sending(store, "a@b.c", "d@e.f", "g@h.i")
    state = answered(store, mail, 250, 550, 250, at=SOON, retry_at=SOON, text="no such user")
    assert state is OutboundState.PARTLY_SENT
    assert states(store, mail) == [RecipientState.SENT, RecipientState.FAILED, RecipientState.SENT]
    assert entry(store, mail).diagnosis == "d@e.f: 550 no such user"


def test_a_mail_that_nobody_gets_has_failed(store: Store) -> None:
    mail = sending(store, "a@b.c", "d@e.f")
    assert answered(store, mail, 550, 554, at=SOON, retry_at=SOON) is OutboundState.FAILED
    assert entry(store, mail).finished == SOON


def test_only_those_still_waiting_are_tried_again(store: Store) -> None:
    mail = sending(store, "a@b.c", "d@e.f", "g@h.i")
    assert answered(store, mail, 250, 451, 550, retry_at=SOON) is OutboundState.DEFERRED
    there = entry(store, mail)
    assert (there.attempts, there.next_attempt, there.finished) == (1, SOON, None)
    assert leased(store) == []
    (again,) = leased(store, SOON)
    assert (again.mail.recipients, again.mail.attempts) == (("d@e.f",), 1)
    assert answered(store, again, 250, at=SOON) is OutboundState.PARTLY_SENT


def test_what_is_given_up_while_some_got_it_is_partly_sent(store: Store) -> None:
    mail = sending(store, "a@b.c", "d@e.f")
    assert answered(store, mail, 250, 451, at=SOON) is OutboundState.PARTLY_SENT
    assert states(store, mail) == [RecipientState.SENT, RecipientState.FAILED]


def test_what_is_given_up_while_nobody_got_it_has_expired(store: Store) -> None:
    mail = sending(store, "a@b.c", "d@e.f")
    assert answered(store, mail, 451, 550, at=SOON) is OutboundState.EXPIRED


def test_every_try_is_in_the_log(store: Store) -> None:
    mail = sending(store, "a@b.c")
    answered(store, mail, 451, retry_at=SOON, text="not now")
    (again,) = leased(store, SOON)
    answered(store, again, 250, at=SOON)
    _, tries = store.outbox.get(mail.mail.id)
    assert [(one.number, one.at, one.way_out, one.outcome) for one in tries] == [
        (1, START, WAY, "a@b.c: 451 not now"),
        (2, SOON, WAY, "sent to 1"),
    ]


def test_a_diagnosis_of_many_recipients_stays_short(store: Store) -> None:
    mail = sending(store, *[f"{number}@b.c" for number in range(100)])
    answered(store, mail, *[550] * 100, at=SOON)
    assert entry(store, mail).diagnosis.endswith("4@b.c: 550 so be it; and 95 more")


def test_a_mail_whose_way_failed_waits_untouched_and_the_try_is_told(store: Store) -> None:
    lease = sending(store, "a@b.c")
    store.sending.release([unsent(lease, "smtp:25: connect: refused", retry_at=SOON)])
    there = entry(store, lease)
    assert (there.state, there.next_attempt) == (OutboundState.DEFERRED, SOON)
    assert there.diagnosis == "smtp:25: connect: refused"
    assert states(store, lease) == [RecipientState.WAITING]
    (again,) = leased(store, SOON)
    assert (again.mail.recipients, again.mail.raw, again.created) == (("a@b.c",), lease.mail.raw, START)


def test_a_mail_that_is_given_back_untried_is_as_before(store: Store) -> None:
    lease = sending(store, "a@b.c")
    store.sending.give_back([lease], SOON)
    there = entry(store, lease)
    assert (there.state, there.attempts, there.next_attempt) == (OutboundState.QUEUED, 0, SOON)
    assert store.outbox.get(lease.mail.id)[1] == ()
    assert leased(store, SOON) == [Leased(mail=lease.mail, created=START, number=2)]


def test_what_a_dead_daemon_held_is_queued_anew(store: Store) -> None:
    lease = sending(store)
    also = queued(store)
    assert store.sending.resume(START, lease=900.0) == 1
    assert {there.state for there in in_outbox(store)} == {OutboundState.QUEUED}
    again = leased(store, most=10)
    assert {one.mail.id for one in again} == {lease.mail.id, also.id}
    assert lease.mail.message_id in {one.mail.message_id for one in again}


def test_the_log_of_what_a_dead_daemon_held_says_that_a_try_was_cut_off(store: Store) -> None:
    store.outbox.add(outbound("a@b.c"), START)
    untouched = outbound("d@e.f")
    (lease,) = leased(store, seconds=900)
    store.outbox.add(untouched, START)
    store.sending.renew([lease], START + timedelta(seconds=960))
    store.sending.resume(START + timedelta(hours=1), lease=900.0)
    there, (only,) = store.outbox.get(lease.mail.id)
    assert (only.number, only.at, only.way_out) == (1, START + timedelta(seconds=60), WAY)
    assert only.outcome == "the daemon ended while it had this mail in hand; whether it was sent is not known"
    assert (only.seconds, only.answers, there.attempts) == (None, (), 1)
    assert store.outbox.get(untouched.id)[1] == ()
    again = {one.mail.id: one for one in leased(store, START + timedelta(hours=1), most=9)}
    answered(store, again[lease.mail.id], 250, at=START + timedelta(hours=1))
    assert [one.number for one in store.outbox.get(lease.mail.id)[1]] == [1, 2]


def test_what_waits_for_too_long_expires(store: Store) -> None:
    old = queued(store, "a@b.c")
    new = outbound()
    store.outbox.add(new, SOON)
    (given_up,) = store.sending.expire(WAY, SOON, SOON)
    assert (given_up.id, given_up.state, given_up.finished) == (old.id, OutboundState.EXPIRED, SOON)
    assert given_up.diagnosis == OVERDUE
    assert states(store, old) == [RecipientState.FAILED]
    assert [there.id for there in in_outbox(store)] == [new.id]


def test_what_expires_says_why_it_was_not_sent(store: Store) -> None:
    mail = sending(store, "a@b.c")
    answered(store, mail, 451, retry_at=SOON, text="not now")
    (given_up,) = store.sending.expire(WAY, SOON, SOON)
    assert (given_up.diagnosis, given_up.attempts) == ("a@b.c: 451 not now", 1)


def test_what_nobody_sends_any_more_expires_too(store: Store) -> None:
    mail = sending(store)
    late = START + timedelta(seconds=61)
    assert store.sending.expire(WAY, SOON, late) == []
    store.sending.take_back(late)
    assert [given_up.id for given_up in store.sending.expire(WAY, SOON, late)] == [mail.mail.id]


def test_what_is_being_sent_or_goes_another_way_does_not_expire(store: Store) -> None:
    sending(store)
    mail = queued(store)
    assert store.sending.expire("smtp-client-b", SOON, SOON) == []
    assert [given_up.id for given_up in store.sending.expire(WAY, SOON, START)] == [mail.id]


def test_outbox_and_history_are_apart_and_the_newest_comes_first(store: Store) -> None:
    mails = [queued(store, "a@b.c") for _ in range(220)]
    sent = {mail.id for mail in mails[::20]}
    for lease in leased(store, most=220):
        if lease.mail.id in sent:
            answered(store, lease, 250)
    newest_first = sorted((mail.id for mail in mails), reverse=True)
    assert [there.id for there in in_history(store)] == [name for name in newest_first if name in sent]
    left = [name for name in newest_first if name not in sent]
    assert [there.id for there in in_outbox(store)] == left
    assert [there.id for there in store.outbox.newest(Choice(done=False), 201)] == left[:201]


def test_a_mail_that_is_not_there_is_an_error_for_a_person(store: Store) -> None:
    with pytest.raises(NotFound, match="no mail ZZZ in outbox or history"):
        store.outbox.get("zzz")


def test_the_bytes_in_the_outbox_are_those_that_were_added(store: Store) -> None:
    mail = queued(store)
    assert store.outbox.raw(entry(store, mail)) == mail.raw
    assert store.outbox.get(mail.id.lower())[0].id == mail.id
