"""A mail is sent once, whatever becomes of its lease: the clock jumps, the worker is slow, the disk is full."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from emaild.errors import StoreFailed, Unreachable
from emaild.jobs.leasing import LEASE, LONGEST_ANSWER
from emaild.jobs.slot import STORE_BACKOFF
from emaild.jobs.sweep import Sweep
from emaild.message import Outbound, OutboundState
from emaild.settings.daemon import StoreSection
from emaild.store import Store
from tests.clock import ManualClock
from tests.full_disk import no_more_bytes
from tests.said import Said
from tests.samples import answered, leased
from tests.sending import Sending

HOURS = 6 * 3600.0


@pytest.fixture
def sending(store: Store, clock: ManualClock) -> Sending:
    return Sending(store, clock)


def sweep(sending: Sending) -> None:
    """As each minute."""
    Sweep(sending.store, sending.clock, StoreSection, lambda: [sending.way]).run()


def attempts(sending: Sending, mail: Outbound) -> int:
    return len(sending.store.outbox.get(mail.id)[1])


def test_a_worker_whose_mail_was_taken_over_breaks_off(sending: Sending, said: Said) -> None:
    mail = sending.queue("a@b.c")
    others = []

    def take_over() -> None:
        sending.clock.advance(LEASE + 1)
        sending.store.sending.take_back(sending.clock.now())
        others.extend(leased(sending.store, sending.clock.now(), seconds=LEASE))

    sending.server.before = take_over
    sending.run()
    assert sending.server.taken == []
    assert said.one("outbound.lease_lost")["outbound"] == mail.id
    assert (sending.state(mail), attempts(sending, mail)) == (OutboundState.SENDING, 0)
    assert answered(sending.store, others[0], 250, at=sending.clock.now()) is OutboundState.SENT


def test_a_worker_whose_mail_was_taken_back_breaks_off_and_it_is_sent_once(sending: Sending, said: Said) -> None:
    mail = sending.queue("a@b.c")

    def taken_back() -> None:
        sending.server.before = lambda: None
        sending.clock.advance(LEASE + 1)
        sending.store.sending.take_back(sending.clock.now())

    sending.server.before = taken_back
    sending.settle()
    assert [one.id for one in sending.server.taken] == [mail.id]
    assert sending.state(mail) is OutboundState.SENT
    assert said.one("outbound.lease_lost")["outbound"] == mail.id


def test_a_worker_does_not_go_on_by_the_lease_of_another_of_the_same_way(sending: Sending, said: Said) -> None:
    mail = sending.queue("a@b.c")

    def another_leases_it() -> None:
        sending.clock.advance(LEASE + 1)
        sending.store.sending.take_back(sending.clock.now())
        sending.way.leases.look()
        other = sending.way.leases.take()
        assert other is not None
        assert other.number == 2

    sending.server.before = another_leases_it
    sending.run()
    assert sending.server.taken == []
    assert said.one("outbound.lease_lost")["outbound"] == mail.id
    assert (sending.state(mail), attempts(sending, mail)) == (OutboundState.SENDING, 0)


def test_a_lease_that_could_not_be_renewed_is_not_believed_in(sending: Sending) -> None:
    sending.queue("a@b.c")

    def taken_over_then_renewed() -> None:
        sending.clock.advance(LEASE + 1)
        sending.store.sending.take_back(sending.clock.now())
        leased(sending.store, sending.clock.now(), seconds=LEASE)
        sending.way.leases.renew()

    sending.server.before = taken_over_then_renewed
    sending.run()
    assert sending.server.taken == []


@pytest.mark.parametrize("place", ["before", "meanwhile"])
@pytest.mark.parametrize("jump", [HOURS, -HOURS])
def test_a_clock_that_jumps_while_a_mail_is_sent_doubles_nothing(sending: Sending, place: str, jump: float) -> None:
    mails = [sending.queue("a@b.c") for _ in range(5)]

    def jumps() -> None:
        setattr(sending.server, place, lambda: None)
        sending.clock.jump(jump)
        sweep(sending)

    setattr(sending.server, place, jumps)
    sending.settle()
    sending.clock.jump(-jump)
    sweep(sending)
    for _ in range(10):
        sending.passed(1)
    assert sorted(one.id for one in sending.server.taken) == [mail.id for mail in mails]
    assert {sending.state(mail) for mail in mails} == {OutboundState.SENT}


def test_a_late_answer_is_asked_for_only_under_a_lease_that_lasts(sending: Sending) -> None:
    mail = sending.queue("a@b.c")
    sending.server.before = lambda: sending.clock.advance(LEASE - LONGEST_ANSWER + 1)

    def server_thinks() -> None:
        sending.clock.advance(LONGEST_ANSWER)
        assert sending.store.sending.take_back(sending.clock.now()) == 0

    sending.server.meanwhile = server_thinks
    sending.run()
    assert sending.state(mail) is OutboundState.SENT


def test_a_mail_that_our_own_fault_lost_expires_at_last(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock, lifetime=1200)
    mail = sending.queue("a@b.c")
    sending.server.fault = ZeroDivisionError("ours")
    for _ in range(2):
        job = sending.schedule.take()
        assert job is not None
        with pytest.raises(ZeroDivisionError):
            job.run()
        sending.schedule.done(job, 0.0)
        clock.advance(LEASE + 1)
        sweep(sending)
    assert sending.state(mail) is OutboundState.EXPIRED


# A full disk


def full(sending: Sending, place: str, while_full: Callable[[], object]) -> None:
    """The disk is full from there on, until the slots had their turn and that was done."""
    with ExitStack() as disk:
        setattr(sending.server, place, lambda: disk.enter_context(no_more_bytes()))
        sending.run()
        setattr(sending.server, place, lambda: None)
        while_full()


def sent_once_each(sending: Sending, mails: list[Outbound]) -> None:
    """When there is room again, all is sent without anybody's help, and nothing twice."""
    for _ in range(5):
        sending.passed(300)
    assert [one.id for one in sending.server.taken] == [mail.id for mail in mails]
    assert {sending.state(mail) for mail in mails} == {OutboundState.SENT}
    assert {attempt.answers[0].code for mail in mails for attempt in sending.store.outbox.get(mail.id)[1][-1:]} == {
        "250"
    }


def test_a_disk_that_is_full_at_the_lease_loses_and_doubles_nothing(sending: Sending) -> None:
    mails = [sending.queue("a@b.c") for _ in range(3)]
    with no_more_bytes():
        assert sending.run() == STORE_BACKOFF
        assert sending.passed(STORE_BACKOFF) == STORE_BACKOFF
    assert sending.server.taken == []
    sent_once_each(sending, mails)


def test_a_disk_that_is_full_when_a_lease_is_to_be_confirmed_loses_and_doubles_nothing(sending: Sending) -> None:
    mails = [sending.queue("a@b.c") for _ in range(3)]
    with ExitStack() as disk:

        def fills() -> None:
            sending.server.before = lambda: None
            sending.clock.advance(LEASE - LONGEST_ANSWER + 1)
            disk.enter_context(no_more_bytes())

        sending.server.before = fills
        assert sending.run() == STORE_BACKOFF
        assert sending.passed(STORE_BACKOFF) == STORE_BACKOFF
        assert sending.server.taken == []
    sent_once_each(sending, mails)


def test_a_disk_that_is_full_at_the_record_loses_and_doubles_nothing(sending: Sending) -> None:
    mails = [sending.queue("a@b.c") for _ in range(3)]
    full(sending, "meanwhile", lambda: [sending.passed(STORE_BACKOFF) for _ in range(3)])
    assert len(sending.server.taken) == 1
    sent_once_each(sending, mails)


def test_a_disk_that_is_full_when_a_mail_is_given_back_loses_and_doubles_nothing(sending: Sending) -> None:
    mails = [sending.queue("a@b.c") for _ in range(3)]
    sending.server.down = Unreachable("smtp.example:25", "connect", "refused")
    full(sending, "before", lambda: [sending.passed(60) for _ in range(3)])
    sending.server.down = None
    sent_once_each(sending, mails)


def test_a_disk_that_is_full_while_leases_are_renewed_takes_none_of_them_away(sending: Sending, said: Said) -> None:
    mail = sending.queue("a@b.c")
    with ExitStack() as disk:

        def fills() -> None:
            disk.enter_context(no_more_bytes())
            for _ in range(30):
                sending.clock.advance(60)
                sweep(sending)

        sending.server.meanwhile = fills
        sending.run()
    sending.server.meanwhile = lambda: None
    sweep(sending)
    sent_once_each(sending, [mail])
    assert "outbound.lease_lost" not in said.names


def test_what_a_full_disk_does_not_let_us_give_back_is_still_ours(sending: Sending, store: Store) -> None:
    mails = [sending.queue() for _ in range(3)]
    first = sending.way.leases.take()
    assert first is not None
    with no_more_bytes(), pytest.raises(StoreFailed):
        sending.way.leases.let_go()
    sending.way.leases.let_go()
    assert [sending.state(mail) for mail in mails] == [OutboundState.SENDING] + [OutboundState.QUEUED] * 2
