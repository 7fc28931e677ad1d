"""Sending what is due: who gets what how often, and what becomes of it in the store and the log."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from itertools import pairwise

import pytest

from emaild.errors import Rejected, Unreachable
from emaild.jobs.leasing import LEASE
from emaild.jobs.rest import WAY_BACKOFF
from emaild.jobs.slot import BATCH, LOOK_EVERY, STORE_BACKOFF
from emaild.message import OutboundState, RecipientState
from emaild.store import Store
from tests.clock import START, ManualClock
from tests.full_disk import no_more_bytes
from tests.said import Said
from tests.samples import in_history
from tests.sending import Sending

REFUSED = Rejected("smtp.example:25", "sign in", "535 wrong password")


@pytest.fixture
def sending(store: Store, clock: ManualClock) -> Sending:
    return Sending(store, clock)


def test_a_mail_that_is_due_is_sent_and_recorded(sending: Sending, said: Said) -> None:
    mail = sending.queue("a@b.c", "d@e.f")
    assert sending.run() == LOOK_EVERY
    assert sending.server.taken == [mail]
    assert sending.state(mail) is OutboundState.SENT
    sent = said.one("outbound.sent")
    assert (sent["outbound"], sent["recipients"], sent["attempt"]) == (mail.id, 2, 1)


def test_a_mail_that_comes_later_is_seen_at_the_next_look(sending: Sending) -> None:
    assert sending.run() == LOOK_EVERY
    mail = sending.queue()
    sending.passed(LOOK_EVERY)
    assert sending.server.taken == [mail]


def test_a_refused_recipient_is_told_alone(sending: Sending, said: Said) -> None:
    mail = sending.queue("a@b.c", "bad@b.c", "d@e.f")
    sending.server.answers = {"bad@b.c": 550}
    sending.run()
    assert sending.state(mail) is OutboundState.PARTLY_SENT
    failed = said.one("outbound.failed")
    assert (failed["recipients"], failed["reply"]) == (["bad@b.c"], "550")
    assert said.one("outbound.sent")["recipients"] == 2


def test_who_is_put_off_is_tried_again_alone_after_a_wait(sending: Sending, said: Said) -> None:
    mail = sending.queue("a@b.c", "busy@b.c")
    sending.server.answers = {"busy@b.c": 451}
    sending.run()
    deferred = said.one("outbound.deferred")
    assert (deferred["reply"], deferred["attempt"]) == ("451", 1)
    assert 48 <= deferred["retry_in"] <= 72

    sending.passed(deferred["retry_in"] - 1)
    assert len(sending.server.taken) == 1
    sending.server.answers = {}
    sending.passed(2)
    assert [again.recipients for again in sending.server.taken] == [("a@b.c", "busy@b.c"), ("busy@b.c",)]
    assert {again.message_id for again in sending.server.taken} == {mail.message_id}
    assert sending.state(mail) is OutboundState.SENT


def test_waits_between_tries_grow_up_to_the_longest(sending: Sending, said: Said) -> None:
    sending.queue("busy@b.c")
    sending.server.answers = {"busy@b.c": 451}
    sending.run()
    for _ in range(8):
        sending.passed(3600)
    waits = [event["retry_in"] for event in said.all("outbound.deferred")]
    assert len(waits) == 9
    assert all(first < second for first, second in pairwise(waits[:5]))
    assert waits[-1] == 3600


def test_what_is_put_off_past_its_lifetime_is_given_up(store: Store, clock: ManualClock, said: Said) -> None:
    sending = Sending(store, clock, lifetime=600)
    mail = sending.queue("busy@b.c")
    sending.server.answers = {"busy@b.c": 451}
    sending.run()
    sending.passed(600)
    assert sending.state(mail) is OutboundState.EXPIRED
    assert said.one("outbound.expired")["recipients"] == ["busy@b.c"]


def test_what_waits_past_its_lifetime_without_a_try_is_given_up(store: Store, clock: ManualClock, said: Said) -> None:
    sending = Sending(store, clock, lifetime=600)
    sending.server.down = REFUSED
    mail = sending.queue("a@b.c")
    sending.run()
    clock.advance(601)
    sending.way.expire()
    assert sending.state(mail) is OutboundState.EXPIRED
    expired = said.one("outbound.expired")
    assert (expired["recipients"], expired["reason"]) == (["a@b.c"], "smtp.example:25: sign in: 535 wrong password")


def test_a_way_that_does_not_work_pauses_and_its_mails_wait_untouched(sending: Sending, said: Said) -> None:
    mails = [sending.queue() for _ in range(3)]
    sending.server.down = REFUSED
    wait = sending.run()
    assert wait == sending.section.retry_first  # a wrong password is not tried again at once
    assert [sending.state(mail) for mail in mails] == [
        OutboundState.DEFERRED,
        OutboundState.QUEUED,
        OutboundState.QUEUED,
    ]
    tried, untried = (sending.store.outbox.get(mail.id)[0] for mail in mails[:2])
    assert ({one.state for one in tried.recipients}, tried.attempts) == ({RecipientState.WAITING}, 1)
    assert untried.attempts == 0
    assert said.one("way_out.failed")["level"] == "error"

    sending.passed(wait)
    sending.server.down = None
    sending.passed(WAY_BACKOFF.maximum)
    assert [sending.state(mail) for mail in mails] == [OutboundState.SENT] * 3
    assert len(said.all("way_out.failed")) == 1
    assert said.one("way_out.recovered")["failures"] == 2


def test_a_way_that_does_not_work_is_left_alone_by_all_of_its_slots(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock, connections=3)
    sending.queue()
    sending.queue()
    sending.server.down = Unreachable("smtp.example:25", "connect", "refused")
    sending.run()
    sending.server.down = None
    sending.run()
    sending.run()
    assert sending.server.taken == []


def test_many_mails_are_sent_in_batches_and_other_slots_are_woken(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock, connections=2)
    assert [sending.run(), sending.run()] == [LOOK_EVERY, None]
    mails = [sending.queue() for _ in range(BATCH + 5)]
    assert sending.passed(LOOK_EVERY) == 0
    assert len(sending.server.taken) == BATCH
    assert sending.run() is None  # the second slot took what was left
    assert sending.run() == LOOK_EVERY
    assert {mail.id for mail in sending.server.taken} == {mail.id for mail in mails}


def test_an_idle_slot_comes_back_to_close_its_connection(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock, connections=2)
    sending.server.rest = 300.0
    assert [sending.run(), sending.run()] == [LOOK_EVERY, 300.0]


def test_a_full_disk_after_the_mail_went_out_sends_nothing_twice(sending: Sending, said: Said) -> None:
    first, second = sending.queue(), sending.queue()
    with ExitStack() as disk:
        sending.server.meanwhile = lambda: disk.enter_context(no_more_bytes())
        assert sending.run() == STORE_BACKOFF
        sending.server.meanwhile = lambda: None
        assert sending.passed(STORE_BACKOFF) == STORE_BACKOFF
        assert sending.server.taken == [first]
    assert sending.state(first) is OutboundState.SENDING

    sending.passed(STORE_BACKOFF)
    assert sending.server.taken == [first, second]
    assert sending.state(first) is OutboundState.SENT
    assert [event["outbound"] for event in said.all("outbound.sent")] == [first.id, second.id]
    assert {event["action"] for event in said.all("store.failed")} == {"send by smtp-client"}


def test_what_was_answered_is_still_recorded_by_the_last_run(sending: Sending) -> None:
    mail = sending.queue()
    with ExitStack() as disk:
        sending.server.meanwhile = lambda: disk.enter_context(no_more_bytes())
        sending.run()
    sending.way.stop()
    sending.run()
    assert sending.state(mail) is OutboundState.SENT
    assert sending.another_way().leases.take() is None


def test_a_mail_that_takes_long_stays_ours(sending: Sending, clock: ManualClock) -> None:
    mail = sending.queue()
    stolen = []

    def slowly() -> None:
        for _ in range(40):
            clock.advance(60)
            sending.way.leases.renew()
            stolen.append(sending.store.sending.take_back(clock.now()))

    sending.server.meanwhile = slowly
    sending.run()
    assert stolen == [0] * 40
    assert sending.state(mail) is OutboundState.SENT


def test_what_was_sent_is_renewed_no_more(sending: Sending, clock: ManualClock) -> None:
    mail = sending.queue()
    sending.run()
    clock.advance(60)
    sending.way.leases.renew()
    assert sending.state(mail) is OutboundState.SENT


def test_a_fault_of_our_own_leaves_the_mail_to_its_lease(sending: Sending, clock: ManualClock) -> None:
    mail = sending.queue()
    sending.server.fault = ZeroDivisionError("ours")
    job = sending.schedule.take()
    assert job is not None
    with pytest.raises(ZeroDivisionError):
        job.run()
    sending.schedule.done(job, 60.0)
    sending.server.fault = None
    assert sending.state(mail) is OutboundState.SENDING
    clock.advance(LEASE)
    sending.way.leases.renew()
    clock.advance(1)
    assert sending.store.sending.take_back(clock.now()) == 1
    sending.run()
    assert sending.state(mail) is OutboundState.SENT


def test_a_way_that_is_stopped_sends_nothing_more_and_closes_its_connections(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock, connections=2)
    mail = sending.queue()
    sending.way.stop()
    assert [sending.run(), sending.run()] == [None, None]
    assert (sending.server.taken, sending.server.closed) == ([], 2)
    assert sending.state(mail) is OutboundState.QUEUED
    assert sending.schedule.wait_until_empty(0) == 0


def test_a_way_that_is_stopped_while_it_sends_finishes_the_mail_under_way(sending: Sending) -> None:
    first, second = sending.queue(), sending.queue()
    sending.server.meanwhile = sending.way.stop
    assert [sending.run(), sending.run()] == [LOOK_EVERY, None]
    assert (sending.state(first), sending.state(second)) == (OutboundState.SENT, OutboundState.QUEUED)


def test_only_mails_of_this_way_expire(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock, lifetime=600)
    sending.queue()
    clock.advance(601)
    assert store.sending.expire("smtp-client-b", START + timedelta(days=1), clock.now()) == []
    sending.way.expire()
    assert [entry.state for entry in in_history(store)] == [OutboundState.EXPIRED]
