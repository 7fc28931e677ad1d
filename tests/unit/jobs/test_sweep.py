"""Tidying: old things go in steps, leases stay, expired mails are given up."""

from __future__ import annotations

import pytest

from emaild.jobs.leasing import LEASE
from emaild.jobs.sweep import EVERY, STEP, STEPS, Sweep
from emaild.message import OutboundState
from emaild.settings.daemon import StoreSection
from emaild.store import Store
from emaild.store.writes import Request, Writes
from tests.clock import ManualClock
from tests.full_disk import no_more_bytes
from tests.said import Said
from tests.samples import answered, in_history, kept, lease_of, taken
from tests.sending import Sending

DAY = 86400.0
ACCOUNT = "pop3:ann@example.com"


@pytest.fixture
def sending(store: Store, clock: ManualClock) -> Sending:
    return Sending(store, clock, lifetime=600)


def sweep(sending: Sending, *, interactions: int = 0, history: int = 0) -> Sweep:
    section = StoreSection(keep_interactions=interactions, keep_history=history)
    return Sweep(sending.store, sending.clock, lambda: section, lambda: [sending.way])


def keep(store: Store, count: int) -> None:
    kept(store, ACCOUNT, [taken(str(number), b"%d" % number) for number in range(count)], settled=True)


def test_interactions_go_after_their_days(sending: Sending, store: Store, said: Said) -> None:
    keep(store, 3)
    sending.clock.advance(7 * DAY)
    sweep(sending, interactions=7).run()
    assert len(list(store.interactions.all())) == 3
    sending.clock.advance(1)
    assert sweep(sending, interactions=7).run() == EVERY
    assert list(store.interactions.all()) == []
    pruned = said.one("store.pruned")
    assert (pruned["interactions"], pruned["history"]) == (3, 0)


def test_history_goes_after_its_days(sending: Sending, store: Store, said: Said) -> None:
    mail = sending.queue("a@b.c")
    answered(store, lease_of(store, mail), 250, at=sending.clock.now())
    sending.clock.advance(30 * DAY + 1)
    sweep(sending, interactions=1, history=30).run()
    assert in_history(store) == []
    assert said.one("store.pruned")["history"] == 1


def test_interactions_stay_where_they_are_kept_for_ever(sending: Sending, store: Store, said: Said) -> None:
    keep(store, 1)
    sending.clock.advance(36_500 * DAY)
    sweep(sending).run()
    assert len(list(store.interactions.all())) == 1
    assert said.events == []


def test_history_is_kept_for_thirty_days_where_none_are_said(sending: Sending, store: Store) -> None:
    mail = sending.queue("a@b.c")
    answered(store, lease_of(store, mail), 250, at=sending.clock.now())
    sending.clock.advance(30 * DAY)
    sweep(sending).run()
    assert len(in_history(store)) == 1
    sending.clock.advance(1)
    sweep(sending).run()
    assert in_history(store) == []


def test_a_request_is_forgotten_after_a_week(sending: Sending, store: Store) -> None:
    asked = Request(key="k", digest="d", answer={"id": 1})
    store.writing.commit(Writes(), sending.clock.now(), asked=asked)
    sending.clock.advance(7 * DAY)
    sweep(sending).run()
    assert store.writing.answer("k", "d") == {"id": 1}
    sending.clock.advance(1)
    sweep(sending).run()
    assert store.writing.answer("k", "d") is None


def test_what_is_too_much_for_one_run_goes_in_the_next(sending: Sending, store: Store) -> None:
    keep(store, STEP * STEPS + 1)
    sending.clock.advance(2 * DAY)
    job = sweep(sending, interactions=1)
    job.run()
    assert len(list(store.interactions.all())) == 1
    job.run()
    assert list(store.interactions.all()) == []


def test_a_mail_that_is_being_sent_stays_leased(sending: Sending, store: Store) -> None:
    sending.queue()
    job = sweep(sending)

    def slowly() -> None:
        for _ in range(int(LEASE / EVERY) + 5):
            sending.clock.advance(EVERY)
            job.run()

    sending.server.meanwhile = slowly
    sending.run()
    assert [entry.state for entry in in_history(store)] == [OutboundState.SENT]
    assert len(sending.server.taken) == 1


def test_mails_that_waited_for_too_long_are_given_up(sending: Sending, said: Said) -> None:
    mail = sending.queue()
    sending.clock.advance(601)
    sweep(sending).run()
    assert sending.state(mail) is OutboundState.EXPIRED
    assert said.one("outbound.expired")["outbound"] == mail.id


def test_a_full_disk_puts_it_off(sending: Sending, store: Store, said: Said) -> None:
    keep(store, 1)
    sending.clock.advance(2 * DAY)
    job = sweep(sending, interactions=1)
    with no_more_bytes():
        assert job.run() == EVERY
    assert said.one("store.failed")["action"] == "sweep"
    job.run()
    assert list(store.interactions.all()) == []


@pytest.mark.parametrize(("interactions", "history"), [(7, 30), (30, 7), (7, 0)])
def test_threads_are_remembered_for_the_longest_of_both(
    sending: Sending, store: Store, said: Said, interactions: int, history: int
) -> None:
    mail = sending.queue("a@b.c")
    answered(store, lease_of(store, mail), 250, at=sending.clock.now())
    keep(store, 1)
    sending.clock.advance(30 * DAY)
    sweep(sending, interactions=interactions, history=history).run()
    assert store.known.by_id([mail.id])
    sending.clock.advance(1)
    sweep(sending, interactions=interactions, history=history).run()
    assert store.known.by_id([mail.id]) == {}
    told = len(said.all("store.pruned"))
    sweep(sending, interactions=interactions, history=history).run()
    assert len(said.all("store.pruned")) == told


@pytest.mark.parametrize(("interactions", "history"), [(0, 7), (0, 0)])
def test_threads_are_remembered_for_ever_where_interactions_are(
    sending: Sending, store: Store, interactions: int, history: int
) -> None:
    mail = sending.queue("a@b.c")
    sending.clock.advance(9999 * DAY)
    sweep(sending, interactions=interactions, history=history).run()
    assert store.known.by_id([mail.id])


def test_that_threads_are_forgotten_is_not_worth_a_line(sending: Sending, store: Store, said: Said) -> None:
    mail = sending.queue("a@b.c")  # it waits in the outbox for longer than it is remembered
    sending.clock.advance(31 * DAY)
    sweep(sending, interactions=30, history=30).run()
    assert store.known.by_id([mail.id]) == {}
    assert "store.pruned" not in said.names
