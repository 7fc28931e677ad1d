"""The limit of mails a minute: what is more waits, for how long, and what it never holds back."""

from __future__ import annotations

from typing import Any

import pytest

from emaild.jobs.leasing import MOST_DEFERRALS
from emaild.jobs.ration import MINUTE, Ration
from emaild.jobs.slot import LOOK_EVERY
from emaild.message import Outbound, OutboundState
from emaild.settings.way_out import WayOutSection
from emaild.store import Store
from tests.clock import START, ManualClock
from tests.said import Said
from tests.sending import Sending


def limited(store: Store, clock: ManualClock, limit: int | None = 30, **options: Any) -> Sending:
    return Sending(store, clock, message_limit_given=limit, **options)


def minute_by_minute(sending: Sending, minutes: int) -> list[int]:
    """How many mails were sent in each."""
    counts = []
    for _ in range(minutes):
        before = len(sending.server.taken)
        end = sending.clock.monotonic() + MINUTE
        while sending.clock.monotonic() < end:
            sending.settle()
            sending.clock.advance(LOOK_EVERY)
        counts.append(len(sending.server.taken) - before)
    return counts


def sent(sending: Sending) -> list[str]:
    return [mail.id for mail in sending.server.taken]


def names(mails: list[Outbound]) -> list[str]:
    return [mail.id for mail in mails]


def test_the_thirty_first_mail_waits_for_a_minute(store: Store, clock: ManualClock, said: Said) -> None:
    sending = limited(store, clock)
    mails = [sending.queue() for _ in range(31)]
    sending.settle()
    assert sent(sending) == names(mails[:30])
    last = store.outbox.get(mails[30].id)[0]
    assert last.state is OutboundState.DEFERRED
    assert last.diagnosis == "the limit of 30 mails a minute is reached"
    assert last.next_attempt is not None
    assert 0 < (last.next_attempt - START).total_seconds() <= MINUTE
    told = said.one("outbound.held_back")
    assert (told["mails"], told["limit"]) == (1, 30)

    clock.advance(MINUTE - 1)
    sending.settle()
    assert len(sending.server.taken) == 30
    clock.advance(1)
    sending.settle()
    assert sending.state(mails[30]) is OutboundState.SENT


def test_more_mails_than_the_limit_are_sent_minute_by_minute_in_their_order(store: Store, clock: ManualClock) -> None:
    sending = limited(store, clock, 5)
    mails = [sending.queue() for _ in range(20)]
    assert minute_by_minute(sending, 4) == [5, 5, 5, 5]
    assert sent(sending) == names(mails)


def test_mails_that_come_evenly_are_held_back_for_about_a_minute_each_time(store: Store, clock: ManualClock) -> None:
    """Else ten times would be over in seconds, and the limit with them."""
    sending = limited(store, clock, 6)
    for _ in range(5 * 60 // 5):
        sending.queue()
        sending.settle()
        clock.advance(5)
    assert len(sending.server.taken) <= 6 * 6


def test_dynamics_5_what_was_held_back_ten_times_is_sent_in_any_case(store: Store, clock: ManualClock) -> None:
    sending = limited(store, clock, 1)
    mails = [sending.queue() for _ in range(40)]
    assert minute_by_minute(sending, MOST_DEFERRALS) == [1] * MOST_DEFERRALS
    assert minute_by_minute(sending, 1) == [30]
    assert {sending.state(mail) for mail in mails} == {OutboundState.SENT}


def test_a_strict_limit_goes_on_to_hold_back(store: Store, clock: ManualClock) -> None:
    sending = limited(store, clock, 1, message_limit_strict=True)
    for _ in range(40):
        sending.queue()
    assert minute_by_minute(sending, MOST_DEFERRALS + 5) == [1] * (MOST_DEFERRALS + 5)


def test_mails_that_somebody_waits_for_do_not_wait_but_count(store: Store, clock: ManualClock) -> None:
    sending = limited(store, clock, 5)
    waited_for = [sending.queue(interactive=True) for _ in range(4)]
    plain = [sending.queue() for _ in range(5)]
    sending.settle()
    assert sent(sending) == names(waited_for + plain[:1])
    more = [sending.queue(interactive=True) for _ in range(10)]
    sending.passed(LOOK_EVERY)
    sending.settle()
    assert sent(sending)[5:] == names(more)
    assert store.outbox.get(more[0].id)[0].deferrals == 0


@pytest.mark.parametrize("connections", [1, 5])
def test_no_connection_takes_more_than_what_is_left(store: Store, clock: ManualClock, connections: int) -> None:
    sending = limited(store, clock, 7, connections=connections)
    for _ in range(3):
        sending.queue(interactive=True)
    for _ in range(30):
        sending.queue()
    sending.settle()
    assert len(sending.server.taken) == 7


def test_nought_is_no_limit(store: Store, clock: ManualClock) -> None:
    sending = limited(store, clock, 0, server="smtp.office365.com")
    for _ in range(100):
        sending.queue()
    sending.settle()
    assert len(sending.server.taken) == 100


@pytest.mark.parametrize(
    ("server", "limit"), [("smtp.office365.com", 30), ("SMTP.Office365.com.", 30), ("smtp.example", 0)]
)
def test_office_365_takes_thirty_a_minute(server: str, limit: int) -> None:
    assert WayOutSection(name="smtp-client", server=server).message_limit == limit
    assert WayOutSection(name="smtp-client", server=server, message_limit_given=7).message_limit == 7


def test_a_restart_within_the_minute_counts_what_was_sent(store: Store, clock: ManualClock) -> None:
    first = limited(store, clock)
    for _ in range(20):
        first.queue()
    first.settle()
    clock.advance(30)
    second = limited(store, clock)
    for _ in range(30):
        second.queue()
    second.settle()
    assert (len(first.server.taken), len(second.server.taken)) == (20, 10)
    clock.advance(30)  # a minute after those that the first one sent, and no longer
    for _ in range(20):
        second.queue()
    second.settle()
    assert len(second.server.taken) == 30


def test_mails_that_a_failing_way_gave_back_do_not_count(store: Store, clock: ManualClock) -> None:
    sending = limited(store, clock, 12, connections=5)
    for _ in range(12):
        sending.queue()
    sending.fail_once()
    clock.advance(300)
    sending.settle()
    assert len(sending.server.taken) == 12


def test_a_ration_slides() -> None:
    ration = Ration(3, [0.0])
    assert ration.left(0.0) == 2
    ration.take(1, 10.0)
    ration.take(3, 20.0)
    assert (ration.left(20.0), ration.whole_in(20.0)) == (0, MINUTE)
    assert (ration.left(70.0), ration.whole_in(70.0)) == (0, 10.0)
    assert (ration.left(80.0), ration.whole_in(80.0)) == (3, 0.0)


def test_what_was_not_sent_may_be_sent_after_all() -> None:
    ration = Ration(3, [])
    ration.take(3, 0.0)
    ration.give_back(2)
    assert ration.left(1.0) == 2
    ration.give_back(99)
    assert ration.left(1.0) == 3
