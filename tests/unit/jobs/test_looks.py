"""When the outbox is looked at: all that is due goes, and nothing is asked for mail by mail."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from emaild.message import Outbound, OutboundState
from emaild.store import Store, leases
from tests.clock import ManualClock
from tests.sending import Sending
from tests.servers.wait import eventually
from tests.statements import statements


def test_once_all_that_is_due_is_leased_the_store_is_not_asked_for_more(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock)
    mails = [sending.queue() for _ in range(3)]
    with statements() as asked:
        sending.run()
    assert {sending.state(mail) for mail in mails} == {OutboundState.SENT}
    looks = [one for one, _ in asked if one == leases.FIND_DUE.text]
    assert len(looks) == 4  # those that somebody waits for, and the others: is there any, and which


def test_what_comes_while_others_are_sent_goes_with_the_next_look(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock)
    first = sending.queue()
    later: list[Outbound] = []
    sending.server.meanwhile = lambda: None if later else later.append(sending.queue())
    sending.run()
    assert [sending.state(mail) for mail in (first, *later)] == [OutboundState.SENT, OutboundState.QUEUED]
    sending.passed(1.0)
    assert [sending.state(mail) for mail in later] == [OutboundState.SENT]


def test_mails_too_large_to_be_leased_together_all_go_in_one_run(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emaild.store.leases.MOST_BYTES", 1)
    sending = Sending(store, clock)
    mails = [sending.queue() for _ in range(5)]
    sending.run()
    assert {sending.state(mail) for mail in mails} == {OutboundState.SENT}


def test_while_the_first_slot_sends_another_looks(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock, connections=2)
    go_on = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        assert (sending.run(), sending.run()) == (1.0, None)
        slow = sending.queue("slow@b.c")
        sending.server.meanwhile = lambda: sending.server.taken[-1].id == slow.id and go_on.wait(timeout=30)
        clock.advance(1)
        first = threads.submit(sending.run)
        eventually(lambda: len(sending.server.taken) == 1)
        quick = sending.queue("quick@b.c")
        sending.way.look()
        threads.submit(sending.run)
        try:
            eventually(lambda: sending.state(quick) is OutboundState.SENT)
        finally:
            go_on.set()
        first.result(timeout=30)
    assert sending.state(slow) is OutboundState.SENT
