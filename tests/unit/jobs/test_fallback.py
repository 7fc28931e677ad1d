"""Where a way out failed for long, its mails go by its fallback, and not before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emaild.errors import Unreachable
from emaild.jobs.deliver import MOVED
from emaild.jobs.slot import LOOK_EVERY
from emaild.message import OutboundState
from emaild.store import Store
from tests.clock import START, ManualClock
from tests.said import Said
from tests.samples import in_outbox, leased, outbound
from tests.sending import Sending

DOWN = Unreachable("smtp.example:25", "connect", "refused")
AFTER = 900.0


@pytest.fixture
def sending(store: Store, clock: ManualClock) -> Sending:
    return Sending(store, clock, fallback="smtp-client-b", fallback_after=AFTER)


def fail_until(sending: Sending, seconds: float) -> None:
    """Tries that fail, until so long after now."""
    sending.server.down = DOWN
    end = sending.clock.monotonic() + seconds
    while sending.clock.monotonic() < end:
        sending.settle()
        sending.clock.advance(LOOK_EVERY)


def ways(sending: Sending) -> set[str]:
    return {entry.way_out for entry in in_outbox(sending.store)}


def test_mails_stay_with_their_way_for_as_long_as_is_said(sending: Sending, said: Said) -> None:
    sending.queue()
    fail_until(sending, AFTER - 2)
    assert ways(sending) == {"smtp-client"}
    assert "outbound.moved" not in said.names
    fail_until(sending, 600)
    assert ways(sending) == {"smtp-client-b"}


def test_moved_mails_are_due_at_once_and_say_why(sending: Sending, said: Said) -> None:
    mail = sending.queue("a@b.c")
    fail_until(sending, AFTER + 600)
    entry = sending.store.outbox.get(mail.id)[0]
    assert entry.diagnosis == "[smtp-client] failed, so it goes by [smtp-client-b]: connect: refused"
    told = said.one("outbound.moved")
    assert (told["section"], told["to"], told["outbound"]) == ("smtp-client", "smtp-client-b", [mail.id])
    (lease,) = leased(sending.store, sending.clock.now(), way_out="smtp-client-b")
    assert (lease.mail.id, lease.mail.recipients) == (mail.id, ("a@b.c",))


def test_many_mails_are_moved_in_steps(sending: Sending, said: Said) -> None:
    mails = [sending.queue() for _ in range(MOVED + 10)]
    fail_until(sending, AFTER + 600)
    assert [len(event["outbound"]) for event in said.all("outbound.moved")] == [MOVED, 10]
    assert {name for event in said.all("outbound.moved") for name in event["outbound"]} == {mail.id for mail in mails}


def test_mails_that_somebody_waits_for_are_moved_first_and_held_ones_stay(store: Store) -> None:
    plain, waited_for, held, due_first = outbound(), outbound(interactive=True), outbound(), outbound()
    for mail in (plain, waited_for, held):
        store.outbox.add(mail, START)
    store.outbox.add(due_first, START - timedelta(minutes=1))
    store.outbox.hold(held.id, START)
    moved = [store.sending.reroute("smtp-client", "b", START, why="", most=2) for _ in range(3)]
    assert moved == [[waited_for.id, due_first.id], [plain.id], []]


def test_a_way_that_works_between_has_its_time_anew(sending: Sending) -> None:
    mail = sending.queue()
    fail_until(sending, AFTER - 300)
    sending.server.down = None
    sending.clock.advance(300)
    sending.settle()
    assert sending.state(mail) is OutboundState.SENT
    sending.queue()
    fail_until(sending, AFTER - 10)
    assert ways(sending) == {"smtp-client"}


def test_a_way_whose_mails_are_moved_is_tried_again_by_the_next_mail(sending: Sending) -> None:
    sending.queue()
    fail_until(sending, AFTER + 600)
    sending.server.down = None
    mail = sending.queue()
    fail_until(sending, 0)
    sending.server.down = None
    sending.clock.advance(600)
    sending.settle()
    assert sending.state(mail) is OutboundState.SENT


def test_without_a_fallback_mails_wait_for_their_way(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock)
    sending.queue()
    fail_until(sending, AFTER + 600)
    assert ways(sending) == {"smtp-client"}
