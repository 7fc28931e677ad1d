"""A server that is away for a week: mails wait, nothing is busy, little is written, and then all are sent."""

from __future__ import annotations

from itertools import pairwise

from emaild.errors import Unreachable
from emaild.jobs.rest import WAY_BACKOFF
from emaild.jobs.sweep import Sweep
from emaild.message import OutboundState
from emaild.settings.daemon import StoreSection
from emaild.store import Store
from tests.clock import ManualClock
from tests.said import Said
from tests.sending import Sending

DAY = 86400.0
HOUR = 3600.0  # between two sweeps: what they do each minute of the week, they do now and then
MAILS = 50


class Connections:
    """Counts when the server was asked."""

    def __init__(self, sending: Sending) -> None:
        self.times: list[float] = []
        sending.server.before = lambda: self.times.append(sending.clock.monotonic())


def pass_days(sending: Sending, days: float) -> int:
    """Run what is due when it is due, as workers do; how many runs of slots that took."""
    sweep = Sweep(sending.store, sending.clock, StoreSection, lambda: [sending.way])
    end, swept, runs = sending.clock.monotonic() + days * DAY, sending.clock.monotonic(), 0
    while sending.clock.monotonic() < end:
        if swept + HOUR <= sending.clock.monotonic():
            sweep.run()
            swept = sending.clock.monotonic()
        runs += sending.settle()
        sending.clock.advance(max(1.0, sending.next_due()))
    return runs


def test_a_week_without_the_server(store: Store, clock: ManualClock, said: Said) -> None:
    sending = Sending(store, clock, lifetime=30 * DAY)
    mails = [sending.queue(f"{number}@b.c") for number in range(MAILS)]
    asked = Connections(sending)
    sending.server.down = Unreachable("smtp.example:25", "connect", "no route to host")
    runs = pass_days(sending, 7)

    waits = [after - before for before, after in pairwise(asked.times)]
    assert all(longer > shorter for shorter, longer in pairwise(waits[:5]))
    assert max(waits) <= WAY_BACKOFF.maximum + 1
    assert min(waits[10:]) >= WAY_BACKOFF.maximum * 0.8 - 1
    assert len(asked.times) <= 7 * DAY / (WAY_BACKOFF.maximum * 0.8) + 10
    assert runs <= len(asked.times) + 10  # it looks only when it may try
    tries = [store.outbox.get(mail.id)[1] for mail in mails]
    assert {len(rows) for rows in tries} <= {0, 1}
    assert sum(one.times for rows in tries for one in rows) == len(asked.times)
    assert said.one("way_out.failed")["reason"] == "no route to host"
    assert {sending.state(mail) for mail in mails} <= {OutboundState.QUEUED, OutboundState.DEFERRED}

    sending.server.down = None
    pass_days(sending, 0.01)
    assert sorted(mail.id for mail in sending.server.taken) == [mail.id for mail in mails]
    assert {sending.state(mail) for mail in mails} == {OutboundState.SENT}
    assert said.one("way_out.recovered")["failures"] == len(asked.times) - MAILS
    assert len(said.all("outbound.sent")) == MAILS
    assert len(said.events) == MAILS + 2


def test_mails_that_live_for_five_days_are_given_up_then_and_each_is_told_once(
    store: Store, clock: ManualClock, said: Said
) -> None:
    sending = Sending(store, clock, lifetime=5 * DAY)
    mails = [sending.queue(f"{number}@b.c") for number in range(MAILS)]
    sending.server.down = Unreachable("smtp.example:25", "connect", "no route to host")
    pass_days(sending, 4.9)
    assert "outbound.expired" not in said.names
    pass_days(sending, 0.15)
    assert {sending.state(mail) for mail in mails} == {OutboundState.EXPIRED}
    assert sorted(event["outbound"] for event in said.all("outbound.expired")) == [mail.id for mail in mails]
    assert said.names.count("way_out.failed") == 1
    sending.server.down = None
    pass_days(sending, 0.01)
    assert sending.server.taken == []
