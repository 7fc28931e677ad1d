"""What is remembered of mails in and out, so that a mail finds its thread and is not taken twice.

It outlives the mails themselves, and is found by indexes only, however much there is of it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, exists, func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from emaild.message import Interaction, Outbound, Understood
from emaild.store.engine import Database
from emaild.store.prepared import Found, Prepared, among, listed
from emaild.store.schema import automatic_mail, correspondent, mail, subject_match

MOST_PEOPLE = 200  # addresses of one mail that are remembered


def _by_message_id() -> Select[Any]:
    """One statement, a look into the index for each name: thousands of mails may have the same Message-ID."""
    wanted = func.json_each(bindparam("message_ids")).table_valued("value", name="wanted")
    other = mail.alias()
    first = select(func.min(other.c.id)).where(other.c.message_id == wanted.c.value).scalar_subquery()
    return select(mail).join(wanted, mail.c.id == first)


def _twins(*, in_account: bool) -> Select[Any]:
    """Likewise; the names are pairs of a Message-ID and a fingerprint."""
    wanted = func.json_each(bindparam("names")).table_valued("value", name="wanted")
    other = mail.alias()
    first = select(func.min(other.c.id)).where(
        other.c.message_id == func.json_extract(wanted.c.value, "$[0]"),
        other.c.fingerprint == func.json_extract(wanted.c.value, "$[1]"),
    )
    if in_account:
        first = first.where(other.c.account == bindparam("account"))
    return select(mail).join(wanted, mail.c.id == first.scalar_subquery())


def _automatic_mails(*, in_thread: bool) -> Select[Any]:
    to = (among(automatic_mail.c.address), automatic_mail.c.at >= bindparam("since"))
    count = select(func.count(automatic_mail.c.mail_id.distinct()).label("count")).where(*to)
    return count.where(automatic_mail.c.thread_id == bindparam("thread_id")) if in_thread else count


def _got_automatic_mails() -> Select[Any]:
    wanted = func.json_each(bindparam("names")).table_valued("value", name="wanted")
    some = exists().where(automatic_mail.c.address == wanted.c.value, automatic_mail.c.at >= bindparam("since"))
    return select(wanted.c.value).where(some)


BY_MESSAGE_ID = Prepared(_by_message_id())
BY_ID = Prepared(select(mail).where(among(mail.c.id)))
TWINS = Prepared(_twins(in_account=False))
TWINS_IN_ACCOUNT = Prepared(_twins(in_account=True))
BY_SUBJECT = Prepared(
    select(subject_match.c.thread_id)
    .where(among(subject_match.c.match), subject_match.c.address == bindparam("address"))
    .order_by(subject_match.c.thread_id.desc())
)
TAKES_PART = Prepared(
    select(correspondent.c.address).where(
        correspondent.c.thread_id == bindparam("thread_id"), correspondent.c.address == bindparam("address")
    )
)
LAST = Prepared(select(func.max(mail.c.at).label("at")).where(mail.c.thread_id == bindparam("thread_id")))
GOT_AUTOMATIC_MAILS = Prepared(_got_automatic_mails())
AUTOMATIC_MAILS = Prepared(_automatic_mails(in_thread=False))
AUTOMATIC_MAILS_IN_THREAD = Prepared(_automatic_mails(in_thread=True))
REMEMBER = Prepared(upsert(mail).on_conflict_do_nothing())  # a notice that is made again has the id that it had
REMEMBER_PEOPLE = Prepared(upsert(correspondent).on_conflict_do_nothing())
SUBJECT = upsert(subject_match)
REMEMBER_SUBJECT = Prepared(
    SUBJECT.on_conflict_do_update(index_elements=["match", "address"], set_={"thread_id": SUBJECT.excluded.thread_id})
)
REMEMBER_AUTOMATIC = Prepared(upsert(automatic_mail).on_conflict_do_nothing())


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
            return {row.id: _known(row) for row in BY_ID.execute(connection, listed(names))}

    def twin(self, message_id: str, fingerprint: str, account: str | None) -> KnownMail | None:
        """The first mail in with the same Message-ID and content; of that account, where one is given."""
        name = (message_id, fingerprint)
        with self._database.read() as connection:
            return twins(connection, [name], account).get(name)

    def threads_by_subject(self, matches: Collection[str], address: str) -> list[str]:
        """The threads in which that address wrote or got mails last whose subjects hold these texts."""
        with self._database.read() as connection:
            return [row.thread_id for row in BY_SUBJECT.execute(connection, listed(matches) | {"address": address})]

    def takes_part(self, thread_id: str, address: str) -> bool:
        """Whether that address, in lower case, wrote or got a mail of the thread."""
        with self._database.read() as connection:
            return bool(TAKES_PART.execute(connection, {"thread_id": thread_id, "address": address}))

    def last(self, thread_id: str) -> datetime | None:
        """When the last mail of the thread came or went."""
        with self._database.read() as connection:
            (row,) = LAST.execute(connection, {"thread_id": thread_id})
        return None if row.at is None else _when(row.at)

    def automatic_mails(self, addresses: Collection[str], since: datetime, thread_id: str | None) -> int:
        """How many automatic mails went to these addresses since then; in that thread, where one is given."""
        given = listed(addresses) | {"since": since.timestamp()}
        with self._database.read() as connection:
            if thread_id is None:
                (row,) = AUTOMATIC_MAILS.execute(connection, given)
            else:
                (row,) = AUTOMATIC_MAILS_IN_THREAD.execute(connection, given | {"thread_id": thread_id})
        return int(row.count)

    def got_automatic_mails(self, addresses: Collection[str], since: datetime) -> dict[str, bool]:
        """Those of these addresses to which automatic mails went since then."""
        if not addresses:
            return {}
        with self._database.read() as connection:
            rows = GOT_AUTOMATIC_MAILS.execute(connection, listed(addresses) | {"since": since.timestamp()})
        return dict.fromkeys((row.value for row in rows), True)

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
    rows = BY_MESSAGE_ID.execute(connection, {"message_ids": json.dumps(list(message_ids))})
    return {row.message_id: _known(row) for row in rows}


def twins(
    connection: Connection, names: Sequence[tuple[str, str]], account: str | None
) -> dict[tuple[str, str], KnownMail]:
    """By Message-ID and fingerprint the first mail in that has both; of that account, where one is given."""
    if not names:
        return {}
    given = {"names": json.dumps(names)}
    if account is None:
        rows = TWINS.execute(connection, given)
    else:
        rows = TWINS_IN_ACCOUNT.execute(connection, given | {"account": account})
    return {(row.message_id, row.fingerprint): _known(row) for row in rows}


def remember(connection: Connection, mails: Sequence[tuple[KnownMail, Collection[str], Collection[str]]]) -> None:
    """To be called in the commit that keeps them. With each: who wrote and got it, and its subject's matches."""
    REMEMBER.execute_all(connection, [{**vars(known), "at": known.at.timestamp()} for known, _, _ in mails])
    theirs = [
        {"thread_id": known.thread_id, "address": address} for known, addresses, _ in mails for address in addresses
    ]
    if theirs:
        REMEMBER_PEOPLE.execute_all(connection, theirs)
    found = [
        {"match": match, "address": address, "thread_id": known.thread_id}
        for known, addresses, matches in mails
        for match in matches
        for address in addresses
    ]
    if found:
        REMEMBER_SUBJECT.execute_all(connection, found)


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
    remember(connection, [(known, _lowered((sent.sender, *sent.recipients)), sent.subject_matches)])
    if sent.automatic:
        rows = [
            {"mail_id": sent.id, "address": address, "thread_id": thread_id, "at": now.timestamp()}
            for address in _lowered(sent.recipients)
        ]
        REMEMBER_AUTOMATIC.execute_all(connection, rows)


def inbound_mail(entry: Interaction, account: str, understood: Understood, thread_id: str = "") -> KnownMail:
    """What is remembered of an interaction; *thread_id* is its thread's, where it was put into another."""
    return KnownMail(
        id=entry.id,
        thread_id=thread_id or entry.thread_id,
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


def _known(row: Found) -> KnownMail:
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
