"""Interactions, and what was fetched from which mailbox.

Both change in one commit, so that neither is ever without the other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import repeat
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from emaild.errors import NotFound
from emaild.message import (
    INBOUND,
    Attachment,
    Envelope,
    Facts,
    Inbound,
    Interaction,
    InteractionState,
    Report,
    ReportedRecipient,
    ReportKind,
    Understood,
    Unique,
)
from emaild.store import raw
from emaild.store.engine import Database
from emaild.store.inbox_choice import InboxChoice
from emaild.store.known import KnownMail, remember_interaction, twin
from emaild.store.numbers import last_number, next_numbers
from emaild.store.schema import cursor, interaction, seen

NAMES_AT_ONCE = 500  # below SQLite's limit of variables in one statement
PAGE = 200
NOT_KEPT = ("text", "html", "reply", "quoted", "headers", "report")


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Which interactions a program wants: those that have all these values; an empty one means any."""

    queue: str = ""
    state: InteractionState | None = None
    mailbox: str = ""
    type: str = ""
    subtype: str = ""
    thread_id: str = ""
    parent_id: str = ""

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """The same in SQL."""
        for name, value in vars(self).items():
            if value:
                yield interaction.c[name] == value


class Interactions:
    """The inbound half of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Taking mail in

    def cursor(self, account: str) -> str | None:
        """Where reading that account stands, None before the first contact."""
        with self._database.read() as connection:
            return connection.execute(select(cursor.c.cursor).where(cursor.c.account == account)).scalar_one_or_none()

    def remember(self, account: str, position: str, skipped: Sequence[str] = ()) -> None:
        """Set the cursor; *skipped* are keys that are never to be taken."""
        with self._database.write() as connection:
            for part in _parts(skipped):
                rows = [{"account": account, "key": key, "settled": True} for key in part]
                connection.execute(upsert(seen).on_conflict_do_nothing(), rows)
            _move(connection, account, position)

    def unknown(self, account: str, keys: Sequence[str]) -> list[str]:
        """Those of *keys* that were never taken nor skipped, in their order."""
        known: set[str] = set()
        with self._database.read() as connection:
            for part in _parts(keys):
                query = select(seen.c.key).where(seen.c.account == account, seen.c.key.in_(part))
                known.update(connection.scalars(query))
        return [key for key in keys if key not in known]

    def keep(
        self, account: str, mails: Sequence[tuple[Inbound, Understood]], *, settled: bool, submitted: bool = True
    ) -> frozenset[str]:
        """Mails, their interactions and "this key was taken", in one commit; *settled*: the server need not be told.

        *submitted*: programs see them at once; else they wait for the rules.

        Returns:
            the keys that made no interaction: taken meanwhile by another section that reads the same account; or their
            bytes had come before under another key; or the mail is one again that had to be unique.
        """
        again = set()
        moved: dict[str, KnownMail] = {}
        with self._database.write() as connection:
            for inbound, understood in mails:
                if _taken(connection, account, inbound.key):
                    again.add(inbound.key)
                    continue
                if _brought(connection, account, understood.digest) or not put(
                    connection, account, inbound.raw, understood, moved, submitted=submitted
                ):
                    again.add(inbound.key)
                connection.execute(
                    insert(seen).values(account=account, key=inbound.key, digest=understood.digest, settled=settled)
                )
        return frozenset(again)

    def unsettled(self, account: str) -> list[str]:
        """Keys that are in the store and of which the server was perhaps not told."""
        with self._database.read() as connection:
            query = select(seen.c.key).where(seen.c.account == account, seen.c.settled.is_(False))
            return list(connection.scalars(query))

    def settle(self, account: str, keys: Sequence[str], position: str) -> None:
        """The server did for these keys what after-fetch asks for; and reading stands at *position* now."""
        with self._database.write() as connection:
            _move(connection, account, position)
            for part in _parts(keys):
                chosen = (seen.c.account == account, seen.c.key.in_(part))
                connection.execute(update(seen).where(*chosen).values(settled=True))

    # Rules and programs

    def unsubmitted(self, most: int) -> list[Interaction]:
        """Those that the rules have not seen, the oldest first."""
        query = select(interaction).where(interaction.c.number.is_(None))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(interaction.c.received, interaction.c.id).limit(most)).all()
        return [_entry(row) for row in rows]

    def submitted(self, chosen: Chosen, after: int, most: int) -> list[Interaction]:
        """At most that many with a number above *after*, in the order of their numbers."""
        query = select(interaction).where(interaction.c.number > after, *chosen.conditions())
        with self._database.read() as connection:
            return [_entry(row) for row in connection.execute(query.order_by(interaction.c.number).limit(most))]

    def last_number(self) -> int:
        """The number of the newest that programs may see; 0: there is none."""
        with self._database.read() as connection:
            return last_number(connection)

    # Looking at it

    def all(
        self, limit: int | None = None, type: str = INBOUND, choice: InboxChoice | None = None
    ) -> Iterator[Interaction]:
        """Those of that type, the newest first; read a page at a time, so that thousands take no memory."""
        last: tuple[float, str] | None = None
        terms = list(choice.terms()) if choice else []
        while limit is None or limit > 0:
            query = select(interaction).where(interaction.c.type == type, *terms)
            query = query.order_by(interaction.c.received.desc(), interaction.c.id.desc())
            if last is not None:
                received, name = last
                query = query.where(
                    (interaction.c.received < received)
                    | ((interaction.c.received == received) & (interaction.c.id < name))
                )
            with self._database.read() as connection:
                rows = connection.execute(query.limit(min(limit or PAGE, PAGE))).all()
            yield from map(_entry, rows)
            if not rows:
                return
            last = (rows[-1].received, rows[-1].id)
            limit = None if limit is None else limit - len(rows)

    def get(self, name: str) -> Interaction:
        """One interaction.

        Raises:
            NotFound: there is none with that id.
        """
        with self._database.read() as connection:
            row = connection.execute(select(interaction).where(interaction.c.id == name.upper())).one_or_none()
        if row is None:
            raise NotFound(f"no interaction {name}; 'emaild inbox' lists those that are there")
        return _entry(row)

    def raw(self, entry: Interaction) -> bytes:
        """The mail byte for byte as its server gave it."""
        with self._database.read() as connection:
            return raw.get(connection, entry.raw_digest)

    def prune(self, before: datetime, most: int) -> int:
        """Remove at most that many interactions received earlier, with their mails. Returns how many went."""
        with self._database.write() as connection:
            query = select(interaction.c.id, interaction.c.raw_digest)
            old = connection.execute(query.where(interaction.c.received < before.timestamp()).limit(most)).all()
            raw.drop(connection, interaction, old)
        return len(old)


def put(
    connection: Connection,
    account: str,
    body: bytes,
    understood: Understood,
    moved: dict[str, KnownMail] | None = None,
    *,
    submitted: bool = False,
) -> bool:
    """Keep what a mail became, and what is remembered of it. *body* is what is stored as its bytes.

    *submitted* is as in `Interactions.keep`.

    *moved* goes from mail to mail of a commit: by the ids of interactions that came to nothing, what stands for them.

    Returns:
        False: it became nothing, or its twin was stored meanwhile.
    """
    moved = {} if moved is None else moved
    twin = _twin(connection, account, understood)
    if twin is not None:
        moved.update(dict.fromkeys((entry.id for entry in understood.interactions), twin))
        return False
    numbers: Iterator[int | None] = repeat(None)
    if submitted and understood.interactions:
        numbers = next_numbers(connection, len(understood.interactions))
    for entry, number in zip(understood.interactions, numbers, strict=False):
        placed = replace(_placed(entry, moved), number=number)
        add(connection, placed, body)
        remember_interaction(connection, placed, account, understood)
    return bool(understood.interactions)


def add(connection: Connection, entry: Interaction, body: bytes) -> None:
    """Keep an interaction and its bytes, in somebody's commit."""
    raw.put(connection, entry.raw_digest, body)
    connection.execute(insert(interaction).values(_row(entry)))


def _twin(connection: Connection, account: str, understood: Understood) -> KnownMail | None:
    message_id = understood.interactions[0].facts.message_id if understood.interactions else None
    if understood.unique is None or message_id is None:
        return None
    among = account if understood.unique is Unique.IN_ACCOUNT else None
    return twin(connection, message_id, understood.fingerprint, among)


def _placed(entry: Interaction, moved: Mapping[str, KnownMail]) -> Interaction:
    """In the thread of what was stored in another commit, while this one still believed in its own."""
    root, parent = moved.get(entry.thread_id), moved.get(entry.parent_id or "")
    return replace(
        entry,
        thread_id=root.thread_id if root else entry.thread_id,
        parent_id=parent.id if parent else entry.parent_id,
    )


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), NAMES_AT_ONCE):
        yield names[start : start + NAMES_AT_ONCE]


def _move(connection: Connection, account: str, position: str) -> None:
    row = upsert(cursor).values(account=account, cursor=position)
    connection.execute(row.on_conflict_do_update(index_elements=["account"], set_={"cursor": position}))


def _taken(connection: Connection, account: str, key: str) -> bool:
    query = select(seen.c.key).where(seen.c.account == account, seen.c.key == key)
    return connection.execute(query).first() is not None


def _brought(connection: Connection, account: str, name: str) -> bool:
    query = select(seen.c.key).where(seen.c.account == account, seen.c.digest == name).limit(1)
    return connection.execute(query).first() is not None


def _row(entry: Interaction) -> dict[str, object]:
    facts = dataclasses.asdict(entry.facts)
    for name in NOT_KEPT:
        del facts[name]  # they are read from the bytes again when somebody asks for them, or stand beside
    facts["date"] = entry.facts.date.isoformat() if entry.facts.date else None
    report = entry.facts.report
    return {
        "id": entry.id,
        "type": entry.type,
        "subtype": entry.subtype,
        "mailbox": entry.mailbox,
        "received": entry.received.timestamp(),
        "queue": entry.queue,
        "state": entry.state.value,
        "thread_id": entry.thread_id,
        "parent_id": entry.parent_id,
        "message_id": entry.facts.message_id,
        "raw_digest": entry.raw_digest,
        "facts": facts,
        "user_data": dict(entry.user_data),
        "report": None if report is None else dataclasses.asdict(report),
        "number": entry.number,
        "rule": entry.rule,
        "envelope": None if entry.envelope is None else dataclasses.asdict(entry.envelope),
    }


def _entry(row: Row[Any]) -> Interaction:
    kept = dict(row.facts)
    kept["date"] = datetime.fromisoformat(kept["date"]) if kept["date"] else None
    kept["attachments"] = tuple(Attachment(**part) for part in kept["attachments"])
    for name in ("to", "cc", "reply_to", "references", "enclosed_ids"):
        kept[name] = tuple(kept.get(name, ()))
    return Interaction(
        id=row.id,
        type=row.type,
        subtype=row.subtype,
        mailbox=row.mailbox,
        received=datetime.fromtimestamp(row.received, UTC),
        queue=row.queue,
        state=InteractionState(row.state),
        thread_id=row.thread_id,
        parent_id=row.parent_id,
        raw_digest=row.raw_digest,
        facts=Facts(**kept, report=_report(row.report) if row.report else None),
        user_data=row.user_data or {},
        number=row.number,
        rule=row.rule,
        envelope=Envelope(**{**row.envelope, "recipients": tuple(row.envelope["recipients"])})
        if row.envelope
        else None,
    )


def _envelope(kept: Mapping[str, Any]) -> Envelope:
    return Envelope(sender=kept["sender"], recipients=tuple(kept["recipients"]))


def _report(kept: Mapping[str, Any]) -> Report:
    recipients = tuple(ReportedRecipient(**recipient) for recipient in kept["recipients"])
    return Report(**{**kept, "kind": ReportKind(kept["kind"]), "recipients": recipients})
