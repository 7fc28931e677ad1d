"""What several slots were answered at about the same time is one commit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from emaild.errors import Busy
from emaild.jobs.leasing import LEASED
from emaild.message import Outbound, OutboundState
from emaild.store import Store
from tests.clock import ManualClock
from tests.said import Said
from tests.sending import Sending
from tests.servers.wait import eventually
from tests.statements import statements

SLOTS = 8


def test_answers_to_several_slots_are_recorded_in_fewer_commits_and_each_is_right(
    store: Store, clock: ManualClock, said: Said
) -> None:
    sending = Sending(store, clock, connections=SLOTS)
    mails = [sending.queue(f"{number}@b.c") for number in range(SLOTS)]
    sending.server.answers = {"3@b.c": 550, "5@b.c": 451}
    answered = threading.Barrier(SLOTS + 1)
    sending.server.meanwhile = lambda: answered.wait(timeout=30)
    jobs = [sending.schedule.take() for _ in range(SLOTS)]
    with ThreadPoolExecutor(SLOTS) as threads:
        runs = [threads.submit(job.run) for job in jobs if job is not None]
        eventually(lambda: answered.n_waiting == SLOTS)
        with statements() as asked:
            with store._database.write():  # as another process would: nothing can be recorded
                answered.wait(timeout=30)
                eventually(lambda: not sending.way.recording._under_way)
            for run in runs:
                run.result(timeout=30)
            commits = [one for one, _ in asked if one == "COMMIT"]
    assert len(commits) <= 3  # ours here, the first answers, and all others
    wanted = {3: OutboundState.FAILED, 5: OutboundState.DEFERRED}
    assert [sending.state(mail) for mail in mails] == [wanted.get(place, OutboundState.SENT) for place in range(SLOTS)]
    assert sorted(event["outbound"] for event in said.all("outbound.sent")) == sorted(
        mail.id for place, mail in enumerate(mails) if place not in wanted
    )
    assert said.one("outbound.failed")["outbound"] == mails[3].id
    assert said.one("outbound.deferred")["outbound"] == mails[5].id
    assert sending.store.outbox.get(mails[3].id)[1][0].answers[0].address == "3@b.c"


def test_an_answer_waits_for_those_to_other_slots_to_be_one_commit_with_them(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emaild.jobs.recording.TOGETHER", 30.0)
    sending = Sending(store, clock, connections=SLOTS)
    mails = [sending.queue(f"{number}@b.c") for number in range(SLOTS)]
    answered = threading.Barrier(SLOTS + 1)
    sending.server.meanwhile = lambda: answered.wait(timeout=30)
    jobs = [sending.schedule.take() for _ in range(SLOTS)]
    with ThreadPoolExecutor(SLOTS) as threads:
        runs = [threads.submit(job.run) for job in jobs if job is not None]
        eventually(lambda: answered.n_waiting == SLOTS)
        with statements() as asked:
            answered.wait(timeout=30)
            for run in runs:
                run.result(timeout=30)
            commits = [one for one, _ in asked if one == "COMMIT"]
    assert len(commits) == 1
    assert {sending.state(mail) for mail in mails} == {OutboundState.SENT}


def test_an_answer_does_not_wait_for_a_slow_server_to_be_recorded(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock, connections=2)
    slow = sending.queue("slow@b.c")
    go_on = threading.Event()
    sending.server.meanwhile = lambda: sending.server.taken[-1].id == slow.id and go_on.wait(timeout=30)
    jobs = [job for _ in range(2) if (job := sending.schedule.take())]
    with ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(jobs[0].run)]
        eventually(lambda: len(sending.server.taken) == 1)
        quick = sending.queue("quick@b.c")
        sending.way.leases.look()
        runs.append(threads.submit(jobs[1].run))
        eventually(lambda: sending.state(quick) is OutboundState.SENT)
        assert sending.state(slow) is OutboundState.SENDING
        go_on.set()
        for run in runs:
            run.result(timeout=30)
    assert sending.state(slow) is OutboundState.SENT


def test_no_connection_hands_over_a_mail_before_the_answer_for_its_last_one_is_written_down(
    store: Store, clock: ManualClock
) -> None:
    sending = Sending(store, clock, connections=2)
    mails = [sending.queue(f"{number}@b.c") for number in range(12)]
    offered: list[Outbound] = []
    sending.server.offered = offered.append
    jobs = [job for _ in range(2) if (job := sending.schedule.take())]
    with ThreadPoolExecutor(2) as threads:
        first = sending.way.leases.take()
        assert first is not None
        sending.way.leases.put_back(first)
        with store._database.write():  # as another process would: nothing can be recorded
            runs = [threads.submit(job.run) for job in jobs]
            eventually(lambda: len(offered) == 3 and len(sending.way.recording._changed._waiters) == 1)  # type: ignore[attr-defined]
            taken = len(sending.server.taken)
        for run in runs:
            run.result(timeout=30)
    assert taken == 2
    assert {sending.state(mail) for mail in mails} == {OutboundState.SENT}


def test_the_commit_that_records_leases_the_next_mails(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock)
    mails = [sending.queue() for _ in range(3 * LEASED)]
    with statements() as asked:
        sending.run()
    commits = [one for one, _ in asked if one == "COMMIT"]
    assert len(commits) == len(mails) + 1
    assert {sending.state(mail) for mail in mails} == {OutboundState.SENT}


def stops(sending: Sending) -> None:
    sending.way.stop()


def rests(sending: Sending) -> None:
    """As another connection was refused."""
    sending.way.rest.failed(Busy("smtp.example:25", "greet", "421 4.3.2 Come back later"))


@pytest.mark.parametrize("halts", [stops, rests])
def test_a_way_that_rests_or_stops_leases_nothing_with_what_it_records(
    store: Store, clock: ManualClock, halts: Callable[[Sending], None]
) -> None:
    sending = Sending(store, clock)
    first, second = sending.queue(), sending.queue()
    with store._database.write() as connection:  # so that there is another to be leased
        connection.exec_driver_sql("UPDATE outbox SET next_attempt = next_attempt + 1 WHERE id = ?", (second.id,))

    def halt() -> None:
        clock.advance(2)  # the other is due
        sending.way.leases.look()
        halts(sending)

    sending.server.meanwhile = halt
    sending.run()
    assert sending.state(first) is OutboundState.SENT
    assert sending.state(second) is OutboundState.QUEUED
