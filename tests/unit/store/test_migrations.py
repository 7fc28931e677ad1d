"""A store of an older version becomes one of today with all that it holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from emaild.store import Store, open_store
from emaild.store.engine import FILE
from emaild.store.migrations import CURRENT, FIRST
from emaild.store.raw import digest
from tests.clock import START
from tests.understanding import Desk, letter

QUESTION = "0000000000000001"
ANSWER = "0000000000000002"
FACTS = {
    "subject": "Hello",
    "sender": "Ann@example.com",
    "to": ["support@shop.example"],
    "cc": ["Bob@example.com"],
    "message_id": "<q@x>",
    "in_reply_to": None,
    "references": [],
    "date": START.isoformat(),
    "attachments": [{"name": "a.pdf", "content_type": "x/y", "size": 1, "content_id": None, "inline": False}],
}


@pytest.fixture
def first_version(tmp_path: Path) -> Path:
    """A store as version 1 left it, with a mail in and a mail out."""
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.executescript(FIRST)
        connection.execute("INSERT INTO schema_version VALUES (1)")
        raw = letter()
        at = START.timestamp()
        connection.execute("INSERT INTO raw VALUES (?, ?, ?)", (digest(raw), len(raw), raw))
        row = (QUESTION, at, QUESTION, "<q@x>", digest(raw), json.dumps(FACTS))
        connection.execute(
            "INSERT INTO interaction (id, type, subtype, mailbox, received, queue, state, thread_id, message_id,"
            " raw_digest, facts) VALUES (?, 'Inbound', 'InboundNew', 'pop-client', ?, 'q', 'NEW', ?, ?, ?, ?)",
            row,
        )
        connection.execute("INSERT INTO seen VALUES ('account', '1', ?, 1)", (digest(raw),))
        connection.execute(
            "INSERT INTO outbox (id, created, way_out, sender, message_id, raw_digest, state, attempts, diagnosis)"
            " VALUES (?, ?, 'smtp-client', 'support@shop.example', '<a@shop.example>', ?, 'SENT', 1, '')",
            (ANSWER, at, digest(raw)),
        )
        connection.execute("INSERT INTO recipient VALUES (?, 0, 'Carol@example.com', 'SENT', '250', '')", (ANSWER,))
    return tmp_path


@pytest.fixture
def migrated(first_version: Path) -> Iterator[Store]:
    told: list[tuple[int, int]] = []
    store = open_store(first_version, lambda old, new: told.append((old, new)))
    assert told == [(1, CURRENT)]
    yield store
    store.close()


def test_an_interaction_of_before_is_there_with_what_it_had(migrated: Store) -> None:
    entry = migrated.interactions.get(QUESTION)
    assert (entry.facts.sender, entry.facts.cc, entry.facts.date) == ("Ann@example.com", ("Bob@example.com",), START)
    assert entry.facts.attachments[0].name == "a.pdf"
    assert (entry.facts.reply_to, entry.facts.report, entry.user_data) == ((), None, {})
    assert migrated.interactions.raw(entry)


def test_mails_of_before_have_threads(migrated: Store) -> None:
    desk = Desk(migrated)
    to_question, to_answer = desk.take(letter(in_reply_to="<q@x>"), letter(in_reply_to="<a@shop.example>"))
    assert (to_question.thread_id, to_question.parent_id) == (QUESTION, QUESTION)
    assert (to_answer.thread_id, to_answer.parent_id) == (ANSWER, ANSWER)


@pytest.mark.parametrize(
    ("thread", "address"),
    [
        (QUESTION, "ann@example.com"),
        (QUESTION, "support@shop.example"),
        (QUESTION, "bob@example.com"),
        (ANSWER, "carol@example.com"),
        (ANSWER, "support@shop.example"),
    ],
)
def test_the_people_of_mails_of_before_may_write_by_token(migrated: Store, thread: str, address: str) -> None:
    assert migrated.known.takes_part(thread, address)
    assert not migrated.known.takes_part(thread, "mallory@example.com")


def test_a_mail_of_before_is_no_twin_of_another(migrated: Store) -> None:
    """Its content was not remembered: two interactions rather than one mail lost."""
    assert Desk(migrated).one(letter(message_id="<q@x>")).id != QUESTION
