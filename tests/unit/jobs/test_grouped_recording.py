"""What several slots were answered at about the same time is one commit."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from emaild.message import OutboundState
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
                eventually(lambda: len(sending.way._unrecorded) == SLOTS - 1)
            for run in runs:
                run.result(timeout=30)
            commits = [one for one, _ in asked if one == "COMMIT"]
    assert len(commits) == 2  # ours here and the first answer together, and all others
    wanted = {3: OutboundState.FAILED, 5: OutboundState.DEFERRED}
    assert [sending.state(mail) for mail in mails] == [wanted.get(place, OutboundState.SENT) for place in range(SLOTS)]
    assert sorted(event["outbound"] for event in said.all("outbound.sent")) == sorted(
        mail.id for place, mail in enumerate(mails) if place not in wanted
    )
    assert said.one("outbound.failed")["outbound"] == mails[3].id
    assert said.one("outbound.deferred")["outbound"] == mails[5].id
    assert sending.store.outbox.get(mails[3].id)[1][0].answers[0].address == "3@b.c"
