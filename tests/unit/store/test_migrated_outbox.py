"""A store of version 4 with mails in every state: each is there and goes on as it should."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from emaild.message import OutboundState, RecipientState
from emaild.store import Store, open_store
from emaild.store.engine import FILE
from emaild.store.migrations import MIGRATIONS
from emaild.store.raw import digest
from tests.clock import START
from tests.samples import answered, in_outbox, leased

SOON = START + timedelta(hours=1)
NOW, THEN = START.timestamp(), SOON.timestamp()
RAW = b"Subject: hello\r\n\r\nHow are you?\r\n"
# id: state, attempts, next_attempt, lease_until, finished
ROWS: dict[str, tuple[str, int, float | None, float | None, float | None]] = {
    "NEW": ("QUEUED", 0, NOW, None, None),
    "TRIED": ("QUEUED", 2, THEN, None, None),
    "UNDERWAY": ("SENDING", 1, NOW, THEN, None),
    "SENT": ("SENT", 1, NOW, None, NOW),
    "PARTLY": ("PARTLY_SENT", 1, None, None, NOW),
    "FAILED": ("FAILED", 1, None, None, NOW),
    "EXPIRED": ("EXPIRED", 9, None, None, NOW),
    "CANCELLED": ("CANCELLED", 0, None, None, NOW),
}


@pytest.fixture
def migrated(tmp_path: Path) -> Iterator[Store]:
    """Version 4, opened today."""
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        for migration in MIGRATIONS[:4]:
            connection.executescript(migration)
        connection.execute("INSERT INTO schema_version VALUES (4)")
        connection.execute("INSERT INTO raw VALUES (?, ?, ?)", (digest(RAW), len(RAW), RAW))
        for name, row in ROWS.items():
            connection.execute(
                "INSERT INTO outbox (id, created, way_out, sender, message_id, raw_digest, state, attempts,"
                " next_attempt, lease_until, finished, diagnosis)"
                " VALUES (?, ?, 'smtp-client', 'a@b.c', ?, ?, ?, ?, ?, ?, ?, 'said')",
                (name, NOW, f"<{name}@b.c>", digest(RAW), *row),
            )
            state = "WAITING" if row[4] is None else "SENT" if name == "SENT" else "FAILED"
            connection.execute("INSERT INTO recipient VALUES (?, 0, 'd@e.f', ?, '', '')", (name, state))
            for number in range(row[1]):
                connection.execute(
                    "INSERT INTO attempt VALUES (?, ?, ?, 'smtp-client', 'as it was')", (name, number + 1, NOW)
                )
    told: list[tuple[int, int]] = []
    store = open_store(tmp_path, lambda old, new: told.append((old, new)))
    assert told == [(4, len(MIGRATIONS))]
    yield store
    store.close()


def states(store: Store) -> dict[str, OutboundState]:
    return {name: store.outbox.get(name)[0].state for name in ROWS}


def test_a_mail_of_before_has_its_state_of_today(migrated: Store) -> None:
    as_named = {name: OutboundState(row[0]) for name, row in ROWS.items()}
    assert states(migrated) == as_named | {"TRIED": OutboundState.DEFERRED}
    assert {entry.id for entry in in_outbox(migrated)} == {"NEW", "TRIED", "UNDERWAY"}
    entry, tries = migrated.outbox.get("TRIED")
    assert (entry.next_attempt, entry.diagnosis, entry.cause, entry.deferrals) == (SOON, "said", "", 0)
    assert not entry.interactive
    assert [(one.number, one.times, one.seconds, one.outcome, one.answers) for one in tries] == [
        (1, 1, None, "as it was", ()),
        (2, 1, None, "as it was", ()),
    ]


def test_a_mail_of_before_that_waits_is_sent_and_one_that_is_done_is_not(migrated: Store) -> None:
    assert [one.mail.id for one in leased(migrated, most=10)] == ["NEW"]
    assert migrated.sending.resume(START, lease=900.0) == 2
    again = leased(migrated, SOON, most=10)
    assert sorted(one.mail.id for one in again) == ["NEW", "TRIED", "UNDERWAY"]
    assert {one.mail.raw for one in again} == {RAW}
    assert {answered(migrated, one, 250, at=SOON) for one in again} == {OutboundState.SENT}
    assert leased(migrated, SOON + timedelta(days=999), most=10) == []


def test_a_lease_of_before_runs_out(migrated: Store) -> None:
    assert migrated.sending.take_back(SOON) == 0
    assert migrated.sending.take_back(SOON + timedelta(seconds=1)) == 1
    assert "UNDERWAY" in [one.mail.id for one in leased(migrated, SOON + timedelta(seconds=1), most=10)]


def test_a_mail_of_before_that_failed_is_sent_again_when_somebody_asks(migrated: Store) -> None:
    for name in ("PARTLY", "FAILED", "EXPIRED", "CANCELLED"):
        migrated.outbox.retry(name, START)
    names = {one.mail.id for one in leased(migrated, most=10)}
    assert names == {"NEW", "PARTLY", "FAILED", "EXPIRED", "CANCELLED"}
    assert {one.state for name in names for one in migrated.outbox.get(name)[0].recipients} == {RecipientState.WAITING}


def test_history_of_before_is_pruned(migrated: Store) -> None:
    assert migrated.outbox.prune(SOON, 10) == 5
    assert {entry.id for entry in in_outbox(migrated)} == {"NEW", "TRIED", "UNDERWAY"}
