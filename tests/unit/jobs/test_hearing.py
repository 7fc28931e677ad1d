"""Mail that any process puts into the outbox is looked for at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Collection
from pathlib import Path

from emaild.jobs.hearing import hear
from emaild.message import OutboundState
from emaild.store import Store
from tests.clock import START, ManualClock
from tests.samples import outbound
from tests.sending import Sending


def test_who_hears_the_bell_is_told_for_which_way_out_there_is_mail(store: Store, tmp_path: Path) -> None:
    told: queue.Queue[Collection[str]] = queue.Queue()
    assert hear(tmp_path / "state", told.put) is not None
    for _ in range(2):
        store.outbox.add(outbound(), START)
        assert told.get(timeout=30) == {"smtp-client"}


def test_where_there_can_be_no_bell_the_daemon_goes_on_without(tmp_path: Path) -> None:
    assert hear(tmp_path / "missing", lambda ways: None) is None


def test_a_way_that_is_told_of_mail_sends_it_before_its_next_look(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock)
    assert sending.run() == 1.0
    mail = sending.queue()
    assert sending.next_due() == 1.0
    sending.way.look()
    running = threading.Thread(target=sending.run, daemon=True)  # which waits for ever for a slot that is not due
    running.start()
    running.join(timeout=30)
    assert sending.state(mail) is OutboundState.SENT
