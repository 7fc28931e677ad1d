"""A store as a daemon leaves it that has taken so many mails, filled in a minute instead of an hour.

A few mails are taken as the daemon takes them. Their rows, in all tables, are the patterns of the others: what differs
from mail to mail does (id, number, time, thread, Message-ID, the bytes and their digest, who wrote it, section, queue
and state), and each mail is a real one, for its texts are read from its bytes. Rows go into the tables as they are,
without the daemon's statements and without a sync, in the order in which mails would have come.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from emaild.clock import SystemClock
from emaild.jobs.intake import Intake
from emaild.jobs.looking import Looking
from emaild.log.setup import set_up
from emaild.message import Inbound
from emaild.settings.load import Settings, load
from emaild.settings.log import LogSection, Verbosity
from emaild.store import Store, open_store
from emaild.store.engine import FILE
from emaild.store.raw import digest

SECTION = "pop-client"
ACCOUNT_OF = "filled:{}"  # as many accounts as queues
QUEUES = 20
RARE = 1000  # one mail of so many is NEW, and one is in a queue of few
CHILDREN = 3  # answers to each mail that begins a thread
AT_ONCE = 10_000  # rows between two statements
CACHE_KIB = 1 << 20
TABLES = ("raw", "interaction", "mail", "correspondent", "seen")
WORDS = b"the order that we placed on Monday has not come yet, could you please tell me where it is\r\n"


def mail(name: str, sender: str, answers: str = "", *, file: bool = False) -> bytes:
    """A small mail, unlike those of other names; with a file of some bytes."""
    head = (
        f"From: {sender}\r\nTo: support@shop.example\r\nSubject: Order {name}\r\n"
        f"Message-ID: <{name}@shop.example>\r\nDate: Mon, 02 Mar 2026 09:30:00 +0000\r\nMIME-Version: 1.0\r\n"
    )
    if answers:
        head += f"In-Reply-To: <{answers}@shop.example>\r\n"
    if not file:
        return f"{head}\r\n".encode() + 3 * WORDS
    parts = (
        b"Content-Type: text/plain\r\n\r\n" + WORDS,
        b'Content-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment\r\n\r\n' + 3 * WORDS,
    )
    body = b"".join(b"--b\r\n" + part for part in parts) + b"--b--\r\n"
    return f'{head}Content-Type: multipart/mixed; boundary="b"\r\n\r\n'.encode() + body


def taken(state: Path, conf: Path, *batches: Sequence[tuple[str, bytes]]) -> None:
    """Take mails as the daemon does, each by its key, a batch in one commit."""
    settings, store = load(conf), open_store(state)
    set_up(LogSection(verbose=Verbosity.NONE))
    try:
        take(store, settings, *batches)
    finally:
        store.close()


def take(store: Store, settings: Settings, *batches: Sequence[tuple[str, bytes]]) -> None:
    """The same into an open store, by settings that have a section `pop-client`."""
    intake = Intake(settings.mailboxes[SECTION], lambda: settings, store=store, looking=Looking(), clock=SystemClock())
    for mails in batches:
        intake.take([Inbound(key=key, raw=raw) for key, raw in mails])
    intake.end()


@dataclass(frozen=True)
class Pattern:
    """The rows of one mail that was taken, by table, each a row's columns; `facts` are those of its interaction."""

    rows: Mapping[str, Mapping[str, Any]]
    facts: Mapping[str, Any]
    file: bool


def fill(state: Path, conf: Path, count: int) -> None:
    """Make the store in *state*, of *count* interactions; *conf* has a section `pop-client`."""
    taken(state, conf, [("plain", mail("plain", "ann@x.example")), ("file", mail("file", "ben@x.example", file=True))])
    with sqlite3.connect(state / FILE, isolation_level=None) as connection:
        connection.row_factory = sqlite3.Row
        patterns = [_pattern(connection, name) for name in ("plain", "file")]
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}", "foreign_keys = OFF"):
            connection.execute(f"PRAGMA {pragma}")
        rows = _rows(patterns, count)
        while some := list(islice(rows, AT_ONCE)):
            connection.execute("BEGIN")
            for table in TABLES:
                _insert(connection, table, [row[table] for row in some])
            connection.execute("COMMIT")
        connection.execute("UPDATE counter SET value = ?", [2 + count])
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def _pattern(connection: sqlite3.Connection, key: str) -> Pattern:
    """The rows of the mail that was taken under that key, one of each table."""
    seen = connection.execute("SELECT * FROM seen WHERE key = ?", [key]).fetchone()
    found = connection.execute("SELECT * FROM interaction WHERE raw_digest = ?", [seen["digest"]]).fetchone()
    by = {
        "raw": ("digest", found["raw_digest"]),
        "mail": ("id", found["id"]),
        "correspondent": ("thread_id", found["thread_id"]),
    }
    rows = {"seen": dict(seen), "interaction": dict(found)}
    for table, (column, value) in by.items():
        query = f"SELECT * FROM {table} WHERE {column} = ?"
        rows[table] = dict(connection.execute(query, [value]).fetchone())
    return Pattern(rows, json.loads(found["facts"]), file=key == "file")


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = ", ".join(f'"{name}"' for name in rows[0])
    places = ", ".join(f":{name}" for name in rows[0])
    connection.executemany(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({places})", rows)


def _rows(patterns: Sequence[Pattern], count: int) -> Iterator[dict[str, dict[str, Any]]]:
    """The rows of each mail, by table."""
    plain, file = patterns
    first = plain.rows["interaction"]["received"] - count
    for number in range(count):
        pattern = file if number % 20 == 19 else plain
        yield _row(pattern, number, first + number)


def _row(pattern: Pattern, number: int, at: float) -> dict[str, dict[str, Any]]:
    name, root = name_of(number), name_of(number - number % (CHILDREN + 1))
    sender = f"customer.{number % 50_000}@x{number % 500}.example"
    answers = "" if root == name else root
    raw = mail(name, sender, answers, file=pattern.file)
    named, message_id = digest(raw), f"<{name}@shop.example>"
    facts = {
        **pattern.facts,
        "sender": sender,
        "subject": f"Order {name}",
        "message_id": message_id,
        "in_reply_to": f"<{answers}@shop.example>" if answers else None,
    }
    section = f"{SECTION}-{number % QUEUES}"
    changed: dict[str, dict[str, Any]] = {
        "raw": {"digest": named, "size": len(raw), "body": raw},
        "interaction": {
            "id": name,
            "number": 3 + number,  # after the two patterns
            "received": at,
            "thread_id": root,
            "parent_id": answers or None,
            "message_id": message_id,
            "raw_digest": named,
            "facts": json.dumps(facts),
            "mailbox": section,
            "queue": "few" if number % RARE == 0 else f"queue-{number % QUEUES}",
            "state": "NEW" if number % RARE == 1 else "STOPPED",
            "subtype": "InboundCustomerReply" if answers else "InboundNew",
        },
        "mail": {
            "id": name,
            "thread_id": root,
            "message_id": message_id,
            "account": ACCOUNT_OF.format(section),
            "fingerprint": named,
            "at": at,
        },
        "correspondent": {"thread_id": root, "address": sender},
        "seen": {"account": ACCOUNT_OF.format(section), "key": f"{number}", "digest": named, "settled": 1},
    }
    return {table: {**row, **changed[table]} for table, row in pattern.rows.items()}


def name_of(number: int) -> str:
    """The id of the interaction of that number: before all that the daemon makes today."""
    return f"{number:016}"
