"""A fault of ours while what was recorded is told: the mail is recorded, and no other waits for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from emaild.message import OutboundState
from emaild.store import Store
from emaild.store.tries import Tried
from tests.clock import ManualClock
from tests.sending import Sending


def test_a_fault_in_what_is_told_stops_no_recording(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock, connections=2)
    first, second = sending.queue("1@b.c"), sending.queue("2@b.c")
    tell = sending.way.recording._tell

    def fail(tried: Tried, state: OutboundState, *rest: object) -> None:
        sending.way.recording._tell = tell
        raise RuntimeError("a fault of ours")

    sending.way.recording._tell = fail
    job = sending.schedule.take()
    assert job is not None
    with ThreadPoolExecutor(1) as threads:
        with pytest.raises(RuntimeError, match="a fault of ours"):
            threads.submit(job.run).result(timeout=30)
        threads.submit(job.run).result(timeout=30)
    assert [sending.state(mail) for mail in (first, second)] == [OutboundState.SENT] * 2
