"""How long a way out rests: not for one mail that a server hangs up on, and no longer because a person was early."""

from __future__ import annotations

from itertools import pairwise

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from emaild.jobs.leasing import LEASED
from emaild.jobs.rest import AT_ONCE, WAY_BACKOFF
from emaild.jobs.slot import LOOK_EVERY, ONE_TOO_MANY
from emaild.message import Outbound, OutboundState
from emaild.store import Store
from tests.clock import ManualClock
from tests.said import Said
from tests.sending import Sending

BYE = "4.3.2 mx.example closing connection"
HOUR = 3600.0


@pytest.fixture
def sending(store: Store, clock: ManualClock) -> Sending:
    return Sending(store, clock, lifetime=365 * 86400.0)


def hangs_up_on(sending: Sending, *addresses: str) -> None:
    """The server says 421 to a mail to one of them."""
    sending.server.answers = dict.fromkeys(addresses, 421)
    sending.server.words = dict.fromkeys(addresses, BYE)


# A server that ends the connection in the middle of a mail


def test_a_server_that_hangs_up_on_one_mail_gets_the_others_at_once(sending: Sending, said: Said) -> None:
    hangs_up_on(sending, "odd@b.c")
    odd, *others = (sending.queue(address) for address in ("odd@b.c", "d@e.f", "g@h.i"))
    assert sending.run() == LOOK_EVERY
    assert sending.state(odd) is OutboundState.DEFERRED
    assert [sending.state(mail) for mail in others] == [OutboundState.SENT] * 2
    assert "way_out.failed" not in said.names
    assert said.one("outbound.deferred")["cause"] == "server-busy"


def test_a_mail_that_the_server_hangs_up_on_never_has_the_way_rest(sending: Sending, said: Said) -> None:
    hangs_up_on(sending, "odd@b.c")
    odd = sending.queue("odd@b.c")
    sending.run()
    for _ in range(9):
        sending.store.outbox.retry(odd.id, sending.clock.now())
        sending.passed(LOOK_EVERY)
    assert sending.store.outbox.get(odd.id)[0].attempts == 10
    assert "way_out.failed" not in said.names


def test_a_server_that_hangs_up_on_a_second_mail_at_once_has_rest(sending: Sending, said: Said) -> None:
    hangs_up_on(sending, "a@b.c", "d@e.f", "g@h.i")
    mails = [sending.queue(address) for address in ("a@b.c", "d@e.f", "g@h.i")]
    rests = sending.run()
    assert rests == sending.section.retry_first
    assert [sending.state(mail) for mail in mails] == [OutboundState.DEFERRED] * 2 + [OutboundState.QUEUED]
    assert said.one("way_out.failed")["cause"] == "server-busy"
    sending.passed(rests)
    assert sending.way.rest.left() >= rests  # while it goes on like that, one mail is enough


@pytest.mark.parametrize("between", ["another mail went well", "it was long ago"])
def test_two_mails_apart_that_the_server_hangs_up_on_are_each_on_their_own(
    sending: Sending, said: Said, between: str
) -> None:
    hangs_up_on(sending, "a@b.c", "d@e.f")
    first = sending.queue("a@b.c")
    sending.run()
    sending.store.outbox.cancel(first.id, sending.clock.now())
    if between == "it was long ago":
        sending.clock.advance(AT_ONCE - LOOK_EVERY)
    else:
        sending.queue("x@y.z")
    sending.queue("d@e.f")
    sending.passed(LOOK_EVERY)
    assert "way_out.failed" not in said.names


def test_a_server_that_says_it_is_asked_too_much_has_rest_at_the_first_mail(sending: Sending, said: Said) -> None:
    sending.server.answers = {"a@b.c": 451}
    sending.server.words = {"a@b.c": "4.7.0 Too many messages from your host, slow down"}
    sending.queue("a@b.c")
    sending.run()
    assert said.one("way_out.failed")["cause"] == "throttled"


def test_a_mail_that_was_under_way_when_the_way_failed_does_not_end_its_rest(sending: Sending, said: Said) -> None:
    def fails_elsewhere() -> None:
        sending.clock.advance(1)
        sending.way.rest.failed(Busy("smtp.example:25", "greet", "421 4.3.2 Too many concurrent connections"))

    sending.queue()
    sending.server.meanwhile = fails_elsewhere
    sending.run()
    sending.server.meanwhile = lambda: None
    assert (sending.way.failing, sending.way.rest.left() > 0) == (True, True)
    assert "way_out.recovered" not in said.names
    sending.queue()
    sending.passed(sending.way.rest.left())
    assert not sending.way.failing
    assert said.one("way_out.recovered")["failures"] == 1


# A server that wants no more connections


def test_a_server_that_wants_fewer_connections_gets_all_mails_by_those_that_it_takes(
    store: Store, clock: ManualClock, said: Said
) -> None:
    sending = Sending(store, clock, connections=3)
    sending.server.room = 1
    mails = [sending.queue() for _ in range(50)]
    sending.settle()
    entries = [store.outbox.get(mail.id)[0] for mail in mails]
    assert {(entry.state, entry.attempts) for entry in entries} == {(OutboundState.SENT, 1)}
    assert said.names.count("way_out.connection_refused") == 2, "each of the others has asked once"
    assert "way_out.failed" not in said.names


@pytest.mark.parametrize("woken", [False, True])
def test_a_connection_that_was_one_too_many_is_tried_again_in_time_or_by_hand(
    store: Store, clock: ManualClock, said: Said, woken: bool
) -> None:
    sending = Sending(store, clock, connections=3)
    sending.server.room = 1
    for _ in range(50):
        sending.queue()
    sending.settle()
    sending.server.room = None
    clock.advance(LOOK_EVERY if woken else ONE_TOO_MANY)
    if woken:
        sending.way.wake()
    for _ in range(50):
        sending.queue()
    sending.settle()
    assert (len(sending.server.taken), len(sending.server.connections)) == (100, 3)


def test_a_server_that_takes_no_connection_has_rest(store: Store, clock: ManualClock, said: Said) -> None:
    sending = Sending(store, clock, connections=3)
    sending.server.room = 0
    sending.queue()
    sending.settle()
    assert (sending.way.failing, "way_out.connection_refused" in said.names) == (True, False)


# A mail for whose sender the way never works


def test_a_mail_that_the_way_never_works_for_holds_up_no_other(sending: Sending) -> None:
    odd = sending.queue("odd@b.c", interactive=True)
    refused = Rejected("smtp.example:25", "MAIL", "530 5.7.57 Client not authenticated to send mail")
    tries: list[str] = []

    def begins(mail: Outbound) -> None:
        tries.append(mail.id)
        sending.server.down = refused if mail.id == odd.id else None

    sending.server.offered = begins
    others = [sending.queue() for _ in range(LEASED)]
    sending.settle()
    sending.clock.advance(sending.next_due())
    sending.settle()
    assert [sending.state(mail) for mail in others] == [OutboundState.SENT] * LEASED
    sending.clock.advance(LOOK_EVERY)
    sending.settle()
    assert tries == [odd.id, *(mail.id for mail in others), odd.id]


# Early tries


def waits(sending: Sending, *, early: int, wakes: int = 1) -> list[float]:
    """For how long a server that refuses us is left alone after each try that was due, with early ones in between."""
    found = []
    for _ in range(6):
        sending.run()
        for _ in range(early):
            sending.clock.advance(0.1)
            for _ in range(wakes):
                sending.way.try_now()
            sending.run()
        found.append(sending.way.rest.left())
        sending.clock.advance(found[-1] + LOOK_EVERY + 0.1)
    return found


@pytest.mark.parametrize("wakes", [1, 2])
def test_a_way_that_a_person_has_tried_early_rests_for_no_longer(store: Store, clock: ManualClock, wakes: int) -> None:
    sending = Sending(store, clock)
    sending.queue()
    sending.server.down = Unreachable("smtp.example:25", "connect", "refused")
    found = waits(sending, early=5, wakes=wakes)
    doubled = [min(WAY_BACKOFF.maximum, WAY_BACKOFF.first * 2**number) for number in range(6)]
    assert all(0.8 * plain <= wait <= 1.2 * plain for wait, plain in zip(found, doubled, strict=True))


def test_a_way_that_fails_again_in_its_time_rests_for_longer_each_time(sending: Sending) -> None:
    sending.queue()
    sending.server.down = Unreachable("smtp.example:25", "connect", "refused")
    assert all(later > before for before, later in pairwise(waits(sending, early=0)))


def test_a_sign_in_that_is_wanted_before_mail_touches_no_mail(sending: Sending, said: Said) -> None:
    mails = [sending.queue(), sending.queue()]
    sending.server.down = Rejected("smtp.example:25", "MAIL", "530 5.7.57 Client not authenticated to send mail")
    assert sending.run() == sending.section.retry_first
    assert [sending.state(mail) for mail in mails] == [OutboundState.DEFERRED, OutboundState.QUEUED]
    failed = said.one("way_out.failed")
    assert (failed["cause"], failed["level"]) == ("authentication-required-exchange", "error")


def mail_waits(sending: Sending, *, early: int) -> list[float]:
    """For how long a mail waits that is put off at each try that was due, with early ones in between."""
    mail = sending.queue("a@b.c")
    sending.server.answers = {"a@b.c": 451}
    found = []
    sending.run()
    for _ in range(5):
        for _ in range(early):
            sending.store.outbox.retry(mail.id, sending.clock.now())
            sending.passed(LOOK_EVERY)
        due = sending.store.outbox.get(mail.id)[0].next_attempt
        assert due is not None
        found.append((due - sending.clock.now()).total_seconds())
        sending.passed(found[-1])
    return found


@pytest.mark.parametrize("early", [0, 4])
def test_a_mail_that_a_person_has_tried_early_waits_for_no_longer(sending: Sending, early: int) -> None:
    found = mail_waits(sending, early=early)
    doubled = [sending.section.retry_first * 2**number for number in range(5)]
    assert all(0.8 * plain <= wait <= 1.2 * plain for wait, plain in zip(found, doubled, strict=True))


def test_tries_of_a_way_that_did_not_work_do_not_make_a_mail_wait_for_longer(sending: Sending) -> None:
    mail = sending.queue("a@b.c")
    for step in ("connect", "greet", "sign in", "STARTTLS"):
        sending.server.down = Unreachable("smtp.example:25", step, "timed out")
        sending.run()
        sending.clock.advance(WAY_BACKOFF.maximum)
    sending.server.down = None
    sending.server.answers = {"a@b.c": 451}
    sending.run()
    due = sending.store.outbox.get(mail.id)[0].next_attempt
    assert due is not None
    assert (due - sending.clock.now()).total_seconds() <= 1.2 * sending.section.retry_first


def test_a_mail_that_failed_and_is_sent_again_begins_with_the_first_wait(sending: Sending) -> None:
    mail = sending.queue("a@b.c")
    sending.server.answers = {"a@b.c": 451}
    for _ in range(5):
        sending.run()
        sending.clock.advance(HOUR)
    sending.server.answers = {"a@b.c": 550}
    sending.run()
    assert sending.state(mail) is OutboundState.FAILED
    sending.server.answers = {"a@b.c": 451}
    sending.clock.advance(1)
    sending.store.outbox.retry(mail.id, sending.clock.now())
    sending.passed(LOOK_EVERY)
    due = sending.store.outbox.get(mail.id)[0].next_attempt
    assert due is not None
    assert (due - sending.clock.now()).total_seconds() <= 1.2 * sending.section.retry_first
