"""What is kept of each try, and that a way out that fails again and again fills no table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from emaild.message import OutboundState
from emaild.store import Store
from emaild.store.leases import Leased
from emaild.store.outbox_entries import Attempt
from tests.clock import START
from tests.samples import leased, outbound, receipt, tried, unsent

WAY = "smtp-client"


def sending(store: Store) -> Leased:
    """A mail that is being sent to two."""
    store.outbox.add(outbound("a@b.c", "d@e.f"), START)
    (lease,) = leased(store)
    return lease


def tries(store: Store, lease: Leased) -> tuple[Attempt, ...]:
    return store.outbox.get(lease.mail.id)[1]


def fails(store: Store, lease: Leased, minute: int, why: str, **more: Any) -> Leased:
    """Its way fails in that minute; the lease of the next."""
    at = START + timedelta(minutes=minute)
    failed = replace(unsent(lease, why, at=at, retry_at=at + timedelta(minutes=1)), **more)
    store.sending.release([failed])
    (again,) = leased(store, at + timedelta(minutes=1))
    return again


def test_a_try_is_kept_with_answers_seconds_server_encryption_and_cause(store: Store) -> None:
    lease = sending(store)
    went = tried(lease, 250, 550, text="5.1.1 no such user")
    delivery = replace(went.delivery, server="mx.example:25", tls="TLSv1.3 TLS_AES_256_GCM_SHA384")
    store.sending.record([replace(went, delivery=delivery, seconds=1.25, cause="no-such-user", worst="x")], START)
    (one,) = tries(store, lease)
    assert one == Attempt(
        number=1,
        at=START,
        way_out=WAY,
        outcome="d@e.f: 550 5.1.1 no such user",
        seconds=1.25,
        server="mx.example:25",
        tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
        answers=(receipt("a@b.c", 250, "5.1.1 no such user"), receipt("d@e.f", 550, "5.1.1 no such user")),
        cause="no-such-user",
    )
    assert one.answers[1].status == "5.1.1"
    entry = store.outbox.get(lease.mail.id)[0]
    assert (entry.state, entry.cause) == (OutboundState.PARTLY_SENT, "x")


def test_failures_of_the_way_in_a_row_are_one_row(store: Store) -> None:
    lease = sending(store)
    for minute in range(100):
        lease = fails(store, lease, minute, "mx:25: connect: refused", cause="refused")
    (one,) = tries(store, lease)
    assert (one.number, one.times, one.at, one.last) == (1, 100, START, START + timedelta(minutes=99))
    assert (one.outcome, one.answers, one.cause) == ("mx:25: connect: refused", (), "refused")
    assert lease.mail.attempts == 1


def test_words_that_differ_each_time_make_no_row_of_their_own_and_the_last_are_kept(store: Store) -> None:
    lease = sending(store)
    for minute in range(5):
        lease = fails(store, lease, minute, f"mx:25: sign in: 454 session {minute}", step="mx:25: sign in: ")
    (one,) = tries(store, lease)
    assert (one.times, one.outcome) == (5, "mx:25: sign in: 454 session 4")


def test_another_step_another_cause_or_an_answer_between_is_another_row(store: Store) -> None:
    lease = sending(store)
    lease = fails(store, lease, 0, "mx:25: connect: refused", step="mx:25: connect: ")
    lease = fails(store, lease, 1, "mx:25: sign in: no", step="mx:25: sign in: ")
    lease = fails(store, lease, 2, "mx:25: sign in: never", step="mx:25: sign in: ", cause="password")
    at = START + timedelta(minutes=3)
    store.sending.record([tried(lease, 451, 451, at=at, retry_at=at)], at)
    (lease,) = leased(store, at)
    lease = fails(store, lease, 4, "mx:25: sign in: never", step="mx:25: sign in: ", cause="password")
    assert [(one.number, one.times) for one in tries(store, lease)] == [(number, 1) for number in range(1, 6)]


def test_the_same_failure_of_another_way_is_another_row(store: Store) -> None:
    lease = sending(store)
    store.sending.release([unsent(lease)])
    store.sending.reroute(WAY, "another", START, why="moved", most=1)
    (again,) = leased(store, way_out="another")
    store.sending.release([unsent(again)])
    assert [one.way_out for one in tries(store, lease)] == [WAY, "another"]


def test_tries_of_a_way_are_counted_since_a_moment_but_not_failures_of_the_way(store: Store) -> None:
    lease, failed = sending(store), sending(store)
    store.sending.record([tried(lease, 250, 451, retry_at=START)], START)
    store.sending.release([unsent(failed)])
    assert store.sending.tries_since(WAY, START, 9) == [START]
    assert store.sending.tries_since(WAY, START + timedelta(seconds=1), 9) == []
    assert store.sending.tries_since("another", START, 9) == []


def test_the_last_tries_of_a_way_are_told_in_their_order(store: Store) -> None:
    moments = [START + timedelta(seconds=second) for second in range(4)]
    for at in moments:
        store.sending.record([tried(sending(store), 250, 250, at=at)], at)
    assert store.sending.tries_since(WAY, START, 3) == moments[1:]
