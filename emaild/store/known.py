"""What is remembered of mails in and out, so that a mail finds its thread and is not taken twice.

It outlives the mails themselves, and is found by indexes only, however much there is of it.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    exists,
    func,
    select,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from emaild.message import Interaction, Outbound, Understood
from emaild.store.engine import Database
from emaild.store.prepared import Prepared
from emaild.store.schema import automatic_mail, correspondent, mail, subject_match

MOST_PEOPLE = 200  # addresses of one mail that are remembered


def _by_message_id() -> Select[Any]:
    """One statement, a look into the index for each name: thousands of mails may have the same Message-ID."""
    wanted = func.json_each(bindparam("message_ids")).table_valued("value", name="wanted")
    other = mail.alias()
    first = select(func.min(other.c.id)).where(other.c.message_id == wanted.c.value).scalar_subquery()
    return select(mail).join(wanted, mail.c.id == first)


BY_MESSAGE_ID = _by_message_id()
REMEMBER = Prepared(upsert(mail).on_conflict_do_nothing())  # a notice that is made again has the id that it had
REMEMBER_PEOPLE = Prepared(upsert(correspondent).on_conflict_do_nothing())


@dataclass(frozen=True, kw_only=True)
class KnownMail:
    """A mail that was taken or sent. `account` is where it came from, None of a mail out; that may have a `subtype`."""

    id: str
    thread_id: str
    message_id: str | None
    account: str | None
    fingerprint: str | None = None
    at: datetime
    subtype: str | None = None

    @property
    def out(self) -> bool:
        """Whether we sent it."""
        return self.account is None


class KnownMails:
    """The memory of the store, to be read; it is written together with interactions and outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_message_id(self, message_ids: Collection[str]) -> dict[str, KnownMail]:
        """For each of these Message-IDs that is known, the first mail that had it."""
        with self._database.read() as connection:
            return by_message_id(connection, message_ids)

    def by_id(self, names: Collection[str]) -> dict[str, KnownMail]:
        """Those of the interactions and mails out with these ids that are known."""
        with self._database.read() as connection:
            rows = connection.execute(select(mail).where(mail.c.id.in_(names)))
            return {row.id: _known(row) for row in rows}

    def twin(self, message_id: str, fingerprint: str, account: str | None) -> KnownMail | None:
        """The first mail in with the same Message-ID and content; of that account, where one is given."""
        with self._database.read() as connection:
            return twin(connection, message_id, fingerprint, account)

    def threads_by_subject(self, matches: Collection[str], address: str) -> list[str]:
        """The threads in which that address wrote or got mails last whose subjects hold these texts."""
        query = select(subject_match.c.thread_id)
        with self._database.read() as connection:
            chosen = (subject_match.c.match.in_(matches), subject_match.c.address == address)
            return list(connection.scalars(query.where(*chosen).order_by(subject_match.c.thread_id.desc())))

    def takes_part(self, thread_id: str, address: str) -> bool:
        """Whether that address, in lower case, wrote or got a mail of the thread."""
        chosen = (correspondent.c.thread_id == thread_id, correspondent.c.address == address)
        with self._database.read() as connection:
            return connection.execute(select(correspondent.c.address).where(*chosen)).first() is not None

    def last(self, thread_id: str) -> datetime | None:
        """When the last mail of the thread came or went."""
        with self._database.read() as connection:
            at = connection.execute(select(func.max(mail.c.at)).where(mail.c.thread_id == thread_id)).scalar()
        return None if at is None else _when(at)

    def automatic_mails(self, addresses: Collection[str], since: datetime, thread_id: str | None) -> int:
        """How many automatic mails went to these addresses since then; in that thread, where one is given."""
        query = select(func.count(automatic_mail.c.mail_id.distinct())).where(
            automatic_mail.c.address.in_(addresses), automatic_mail.c.at >= since.timestamp()
        )
        if thread_id is not None:
            query = query.where(automatic_mail.c.thread_id == thread_id)
        with self._database.read() as connection:
            return connection.execute(query).scalar_one()

    def prune(self, before: datetime, most: int) -> int:
        """Forget at most that many mails that came or went earlier. Returns how many."""
        with self._database.write() as connection:
            query = select(mail.c.id, mail.c.thread_id).where(mail.c.at < before.timestamp()).limit(most)
            old = connection.execute(query).all()
            connection.execute(delete(mail).where(mail.c.id.in_([row.id for row in old])))
            threads = {row.thread_id for row in old}
            for table in (correspondent, subject_match):
                alive = exists().where(mail.c.thread_id == table.c.thread_id)
                connection.execute(delete(table).where(table.c.thread_id.in_(threads), ~alive))
        return len(old)


def by_message_id(connection: Connection, message_ids: Collection[str]) -> dict[str, KnownMail]:
    """As the method of that name."""
    if not message_ids:
        return {}
    rows = connection.execute(BY_MESSAGE_ID, {"message_ids": json.dumps(list(message_ids))})
    return {row.message_id: _known(row) for row in rows}


def twin(connection: Connection, message_id: str, fingerprint: str, account: str | None) -> KnownMail | None:
    """As the method of that name."""
    query = select(mail).where(mail.c.message_id == message_id, mail.c.fingerprint == fingerprint)
    if account is not None:
        query = query.where(mail.c.account == account)
    row = connection.execute(query.order_by(mail.c.id).limit(1)).one_or_none()
    return None if row is None else _known(row)


def remember_interaction(connection: Connection, entry: Interaction, account: str, understood: Understood) -> None:
    """To be called in the commit that keeps it."""
    _remember(connection, inbound_mail(entry, account, understood))
    _remember_people(connection, entry.thread_id, people(entry), understood.subject_matches)


def remember_outbound(connection: Connection, sent: Outbound, now: datetime) -> None:
    """To be called in the commit that puts it into the outbox.

    It is in the thread that it names, else in that of the mail that it answers.
    """
    answered = by_message_id(connection, sent.answers)
    parent = next((answered[name] for name in sent.answers if name in answered), None)
    thread_id = sent.thread_id or (sent.id if parent is None else parent.thread_id)
    subtype = sent.subtype or None
    known = KnownMail(
        id=sent.id, thread_id=thread_id, message_id=sent.message_id, account=None, at=now, subtype=subtype
    )
    _remember(connection, known)
    recipients = _lowered(sent.recipients)
    _remember_people(connection, thread_id, _lowered((sent.sender, *sent.recipients)), sent.subject_matches)
    if sent.automatic:
        rows = [
            {"mail_id": sent.id, "address": address, "thread_id": thread_id, "at": now.timestamp()}
            for address in recipients
        ]
        connection.execute(upsert(automatic_mail).on_conflict_do_nothing(), rows)


def inbound_mail(entry: Interaction, account: str, understood: Understood) -> KnownMail:
    """What is remembered of an interaction."""
    return KnownMail(
        id=entry.id,
        thread_id=entry.thread_id,
        message_id=entry.facts.message_id,
        account=account,
        fingerprint=understood.fingerprint,
        at=entry.received,
    )


def people(entry: Interaction) -> tuple[str, ...]:
    """Who wrote and got a mail in, in lower case."""
    said = entry.facts
    return _lowered((said.sender, *said.reply_to, *said.to, *said.cc))


def _lowered(addresses: Collection[str]) -> tuple[str, ...]:
    found = dict.fromkeys(address.lower() for address in addresses if address)
    return tuple(found)[:MOST_PEOPLE]


def _remember(connection: Connection, known: KnownMail) -> None:
    REMEMBER.execute(connection, {**vars(known), "at": known.at.timestamp()})


def _remember_people(
    connection: Connection, thread_id: str, addresses: Collection[str], matches: Collection[str]
) -> None:
    if not addresses:
        return
    rows = [{"thread_id": thread_id, "address": address} for address in addresses]
    REMEMBER_PEOPLE.execute_all(connection, rows)
    if matches:
        row = upsert(subject_match)
        row = row.on_conflict_do_update(index_elements=["match", "address"], set_={"thread_id": row.excluded.thread_id})
        connection.execute(row, [{"match": match, **row} for match in matches for row in rows])


def _known(row: Row[Any]) -> KnownMail:
    return KnownMail(
        id=row.id,
        thread_id=row.thread_id,
        message_id=row.message_id,
        account=row.account,
        fingerprint=row.fingerprint,
        at=_when(row.at),
        subtype=row.subtype,
    )


def _when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
