"""Health: what is our fault counts, what is the world's is told."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from typing import Any

import pytest

from emaild.api.health import KEPT, LONGEST_SILENCE, Health
from emaild.errors import Unreachable
from emaild.jobs.publish.job import WebhookState
from emaild.jobs.schedule import Schedule
from emaild.jobs.workers import start_workers
from emaild.store import Store
from emaild.store.mailboxes import MailboxStatus
from tests.clock import ManualClock
from tests.full_disk import no_more_bytes
from tests.sending import Sending
from tests.vitals import Patient


@pytest.fixture
def patient(store: Store, clock: ManualClock) -> Patient:
    return Patient(store, clock)


@pytest.fixture
def health(patient: Patient) -> Health:
    return Health(patient.vitals)


def failing(document: Any) -> list[str]:
    """The checks that fail."""
    return [name for name, check in document["checks"].items() if check["status"] != "ok"]


def test_a_daemon_that_works_is_alive_and_ready(health: Health) -> None:
    alive, ready = health.alive(), health.ready()
    assert (alive.status, ready.status) == (200, 200)
    assert json.loads(json.dumps(alive.document)) == {
        "status": "ok",
        "checks": {
            "workers": {"status": "ok", "alive": 1, "expected": 1},
            "main": {"status": "ok", "silent_seconds": 0.0},
            "store": {"status": "ok"},
            "mailboxes": {"status": "ok", "failing": [], "count": 0},
            "ways_out": {"status": "ok", "failing": [], "count": 0},
        },
    }
    assert ready.document == {
        "status": "ok",
        "checks": {
            "started": {"status": "ok"},
            "running": {"status": "ok"},
            "store": {"status": "ok"},
            "ways_out": {"status": "ok", "failing": [], "count": 0},
        },
    }


def test_what_the_world_does_wrong_is_told_and_does_not_count(
    health: Health, patient: Patient, store: Store, clock: ManualClock
) -> None:
    states = [MailboxStatus(name=f"pop-client-{number}", state="failing", last_error="pw") for number in range(60)]
    store.mailboxes.report([*states, MailboxStatus(name="good", state="ok")], [state.name for state in states])
    sending = Sending(store, clock)
    sending.queue("a@b.c")
    sending.server.down = Unreachable("smtp.example", "connect", "refused")
    sending.run()
    patient.ways_out = [sending.way]
    patient.webhook = WebhookState(failures=3, gone=False)
    alive = health.alive()
    assert alive.status == 200
    assert alive.document["status"] == "ok"
    assert failing(alive.document) == ["mailboxes", "ways_out", "webhook"]
    told = alive.document["checks"]
    assert (told["mailboxes"]["count"], len(told["mailboxes"]["failing"])) == (60, 50)
    assert told["ways_out"]["failing"] == ["smtp-client"]
    assert told["webhook"] == {"status": "failing", "failures": 3, "gone": False}
    assert "pw" not in json.dumps(alive.document), "errors may hold what servers said"
    ready = health.ready()
    assert (ready.status, ready.document["status"]) == (200, "ok")
    assert ready.document["checks"]["ways_out"]["failing"] == ["smtp-client"]


def test_a_worker_that_ended_counts(health: Health, patient: Patient, clock: ManualClock) -> None:
    schedule = Schedule(clock, per_host=1)
    workers = start_workers("gone", schedule, 2)
    patient.pulse.workers = workers
    assert health.alive().status == 200
    schedule.stop()
    for worker in workers:
        worker.join(5)
    alive = health.alive()
    assert (alive.status, alive.document["status"], failing(alive.document)) == (503, "failing", ["workers"])


def test_a_main_thread_that_is_silent_counts(health: Health, patient: Patient, clock: ManualClock) -> None:
    clock.advance(LONGEST_SILENCE)
    assert health.alive().status == 200
    clock.advance(1)
    alive = health.alive()
    assert (alive.status, failing(alive.document)) == (503, ["main"])
    patient.pulse.beat()
    assert health.alive().status == 200


def test_a_store_that_cannot_be_read_counts(health: Health, store: Store, clock: ManualClock) -> None:
    assert health.alive().status == 200
    with store._database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE mailbox_status RENAME TO elsewhere")
    assert health.alive().status == 200, "anyone may ask, so the answer is kept for some seconds"
    clock.advance(KEPT)
    alive = health.alive()
    assert (alive.status, failing(alive.document)) == (503, ["store"])


@pytest.mark.parametrize(("name", "value"), [("started", False), ("stopping", True)])
def test_a_daemon_that_has_not_started_or_stops_takes_no_work(
    health: Health, patient: Patient, name: str, value: bool
) -> None:
    setattr(patient.pulse, name, value)
    ready = health.ready()
    assert (ready.status, len(failing(ready.document))) == (503, 1)
    assert health.alive().status == 200


def test_a_full_disk_means_not_ready_until_there_is_room(health: Health, clock: ManualClock) -> None:
    with no_more_bytes():
        ready = health.ready()
        assert (ready.status, failing(ready.document)) == (503, ["store"])
        assert health.alive().status == 200
    clock.advance(KEPT)
    assert health.ready().status == 200


def test_a_store_that_another_holds_is_not_waited_for_long(
    health: Health, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emaild.api.health.PATIENCE", 0.05)
    with closing(sqlite3.connect(store._database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ready = health.ready()
    assert (ready.status, failing(ready.document)) == (503, ["store"])


def test_many_who_ask_at_once_look_once(patient: Patient, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []
    all_ask = threading.Event()

    def slow(self: Store, patience: float) -> None:
        looks.append(patience)
        all_ask.wait(10)

    monkeypatch.setattr(Store, "probe", slow)
    health = Health(patient.vitals)
    askers = [threading.Thread(target=health.ready) for _ in range(20)]
    for asker in askers:
        asker.start()
    all_ask.set()
    for asker in askers:
        asker.join(10)
    assert len(looks) == 1
