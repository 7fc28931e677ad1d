"""Leases: who gets which mails, in what order and how many, and what an older lease is still worth."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emaild.errors import Conflict, LeaseLost
from emaild.message import Outbound, OutboundState, RecipientState
from emaild.store import Store
from emaild.store.leases import MOST_BYTES, Leased
from tests.clock import START
from tests.samples import answered, leased, outbound, tried, unsent

SOON = START + timedelta(minutes=5)
LATE = START + timedelta(hours=1)
WAY = "smtp-client"


def queued(store: Store, count: int = 1, *recipients: str, interactive: bool = False, size: int = 10) -> list[Outbound]:
    """Mails that differ, in the order of their ids."""
    mails = []
    for number in range(count):
        mail = outbound(*recipients, interactive=interactive, raw=b"%d" % number + b"x" * size)
        store.outbox.add(mail, START)
        mails.append(mail)
    return mails


def ids(mails: list[Outbound] | list[Leased]) -> list[str]:
    return [one.id if isinstance(one, Outbound) else one.mail.id for one in mails]


def state(store: Store, lease: Leased) -> OutboundState:
    return store.outbox.get(lease.mail.id)[0].state


def recipients(store: Store, lease: Leased) -> list[RecipientState]:
    return [one.state for one in store.outbox.get(lease.mail.id)[0].recipients]


def taken_over(store: Store) -> tuple[Leased, Leased]:
    """A mail whose lease ran out, and that somebody else leased."""
    queued(store, 1, "a@b.c")
    (old,) = leased(store)
    store.sending.take_back(LATE)
    (new,) = leased(store, LATE, seconds=900)
    return old, new


def test_mails_that_somebody_waits_for_go_first_and_then_those_due_for_longest(store: Store) -> None:
    plain = queued(store, 3)
    store.outbox.add(earliest := outbound(), START - timedelta(seconds=1))
    waited_for = queued(store, 2, interactive=True)
    assert ids(leased(store, most=4)) == ids([*waited_for, earliest, plain[0]])


def test_a_lease_takes_no_more_mails_than_asked_for(store: Store) -> None:
    mails = queued(store, 5)
    assert [ids(leased(store, most=2)) for _ in range(4)] == [ids(mails[:2]), ids(mails[2:4]), ids(mails[4:]), []]


def test_a_lease_ends_with_the_mail_with_which_it_is_as_many_bytes_as_may_be_in_memory(store: Store) -> None:
    half = queued(store, 3, size=MOST_BYTES // 2)
    whole = queued(store, 2, size=MOST_BYTES + 1)
    runs = [ids(leased(store, most=100)) for _ in range(3)]
    assert runs == [ids(half[:2]), ids([*half[2:], whole[0]]), ids(whole[1:])]


def test_a_ration_holds_back_the_others_and_counts_those_that_somebody_waits_for(store: Store) -> None:
    waited_for, plain = queued(store, 3, interactive=True), queued(store, 5)

    def rationed(ration: int) -> list[str]:
        return ids(store.sending.lease(WAY, START, LATE, most=4, ration=ration))

    assert rationed(0) == ids(waited_for)
    queued_again = queued(store, 2, interactive=True)
    assert rationed(3) == ids([*queued_again, plain[0]])
    assert rationed(0) == []
    assert rationed(100) == ids(plain[1:])


def test_what_was_held_back_often_enough_is_beyond_the_ration(store: Store) -> None:
    old, others = queued(store, 2), queued(store, 2)
    for _ in range(3):
        assert store.sending.defer(WAY, START, START, why="", past=None, most=2) == 2

    def rationed(past: int | None) -> list[str]:
        return ids(store.sending.lease(WAY, START, LATE, most=4, ration=0, past=past))

    assert rationed(4) == rationed(None) == []
    assert rationed(3) == ids(old)
    assert ids(leased(store, most=4)) == ids(others)


def test_what_is_held_back_is_deferred_with_the_reason_but_nothing_that_somebody_waits_for(store: Store) -> None:
    (waited_for,), (plain,) = queued(store, interactive=True), queued(store)
    assert store.sending.defer(WAY, START, SOON, why="the limit", past=10, most=10) == 1
    entry = store.outbox.get(plain.id)[0]
    assert (entry.state, entry.next_attempt, entry.deferrals) == (OutboundState.DEFERRED, SOON, 1)
    assert (entry.diagnosis, entry.attempts) == ("the limit", 0)
    assert ids(leased(store, most=10)) == [waited_for.id]


def test_a_renewal_says_which_leases_are_still_ours(store: Store) -> None:
    old, new = taken_over(store)
    queued(store)
    (other,) = leased(store, LATE)
    assert store.sending.renew([old, other], LATE + timedelta(hours=9)) == {other.mail.id}
    assert store.sending.renew([new, other], LATE + timedelta(hours=9)) == {new.mail.id, other.mail.id}
    assert store.sending.take_back(LATE + timedelta(hours=8)) == 0


def test_who_holds_an_older_lease_learns_it_when_asking(store: Store) -> None:
    old, new = taken_over(store)
    with pytest.raises(LeaseLost, match=old.mail.id):
        store.sending.keep(old, LATE + timedelta(hours=9))
    store.sending.keep(new, LATE + timedelta(hours=9))
    assert store.sending.take_back(LATE + timedelta(hours=8)) == 0


@pytest.mark.parametrize("code", [250, 451, 550])
def test_an_answer_to_an_older_lease_changes_nothing_but_is_in_the_log(store: Store, code: int) -> None:
    old, new = taken_over(store)
    assert answered(store, old, code, at=LATE, retry_at=SOON) is OutboundState.SENDING
    assert recipients(store, new) == [RecipientState.WAITING]
    assert answered(store, new, 250, at=LATE) is OutboundState.SENT
    entry, tries = store.outbox.get(new.mail.id)
    assert (entry.attempts, [one.answers[0].code for one in tries]) == (2, [str(code), "250"])


@pytest.mark.parametrize("code", [451, 550])
def test_an_answer_that_comes_after_the_mail_was_sent_by_another_leaves_it_sent(store: Store, code: int) -> None:
    old, new = taken_over(store)
    answered(store, new, 250, at=LATE)
    assert answered(store, old, code, at=LATE) is OutboundState.SENT
    assert (state(store, new), recipients(store, new)) == (OutboundState.SENT, [RecipientState.SENT])


def test_an_answer_to_a_lease_that_ran_out_counts_while_nobody_else_leased_the_mail(store: Store) -> None:
    queued(store, 1, "a@b.c")
    (lease,) = leased(store)
    store.sending.take_back(LATE)
    assert answered(store, lease, 250, at=LATE) is OutboundState.SENT
    assert leased(store, LATE) == []


def test_an_answer_after_a_person_cancelled_the_mail_that_was_taken_back_leaves_it_cancelled(store: Store) -> None:
    queued(store, 1, "a@b.c")
    (lease,) = leased(store)
    store.sending.take_back(LATE)
    store.outbox.cancel(lease.mail.id, LATE)
    assert answered(store, lease, 451, at=LATE, retry_at=SOON) is OutboundState.CANCELLED
    assert leased(store, LATE + timedelta(days=1)) == []


def test_an_answer_for_a_mail_that_was_pruned_meanwhile_is_no_fault(store: Store) -> None:
    queued(store, 1, "a@b.c")
    (lease,) = leased(store)
    store.sending.take_back(LATE)
    store.outbox.cancel(lease.mail.id, LATE)
    store.outbox.prune(LATE + timedelta(days=1), 10)
    assert answered(store, lease, 250, at=LATE) is OutboundState.FAILED
    store.sending.release([unsent(lease)])


def test_answers_to_an_older_and_a_newer_lease_are_recorded_together(store: Store) -> None:
    old, new = taken_over(store)
    states = store.sending.record([tried(old, 451, retry_at=SOON), tried(new, 250)], LATE)
    assert states == [OutboundState.SENDING, OutboundState.SENT]
    assert [one.number for one in store.outbox.get(new.mail.id)[1]] == [1, 2]


def test_a_release_by_an_older_lease_changes_nothing(store: Store) -> None:
    old, new = taken_over(store)
    store.sending.release([unsent(old)])
    store.sending.give_back([old], LATE)
    assert (state(store, new), store.outbox.get(new.mail.id)[1]) == (OutboundState.SENDING, ())


def test_many_tries_are_recorded_at_once_and_each_as_it_went(store: Store) -> None:
    queued(store, 1, "a@b.c", "d@e.f")
    queued(store, 1, "a@b.c")
    queued(store, 1, "a@b.c")
    first, second, third = leased(store, most=3)
    tries = [tried(first, 250, 550), tried(second, 451, retry_at=SOON), tried(third, 451)]
    assert store.sending.record(tries, LATE) == [
        OutboundState.PARTLY_SENT,
        OutboundState.DEFERRED,
        OutboundState.EXPIRED,
    ]
    assert recipients(store, first) == [RecipientState.SENT, RecipientState.FAILED]
    assert recipients(store, second) == [RecipientState.WAITING]
    assert recipients(store, third) == [RecipientState.FAILED]


def test_a_mail_under_way_is_neither_held_nor_cancelled_nor_sent_again_nor_pruned(store: Store) -> None:
    queued(store, 1, "a@b.c")
    (lease,) = leased(store)
    for ask in (store.outbox.hold, store.outbox.cancel, store.outbox.retry):
        with pytest.raises(Conflict, match=f"{lease.mail.id} is being sent at this moment"):
            ask(lease.mail.id, START)
    assert store.outbox.prune(START + timedelta(days=999), 10) == 0
    assert answered(store, lease, 250) is OutboundState.SENT


def test_receipts_of_a_mail_to_very_many_are_recorded_in_steps_that_grow_with_them(store: Store) -> None:
    people = [f"{number}@b.c" for number in range(20_000)]  # the square of that would take hours
    queued(store, 1, *people)
    (lease,) = leased(store)
    assert answered(store, lease, *[250] * len(people)) is OutboundState.SENT
    assert set(recipients(store, lease)) == {RecipientState.SENT}
