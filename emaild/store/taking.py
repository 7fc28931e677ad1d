"""Mails that are taken in: their rows, made before anybody waits for the lock, and a few statements for all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import repeat

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.sqlite import insert

from emaild.message import Inbound, Interaction, Understood, Unique
from emaild.store import raw
from emaild.store.interaction_rows import row_of
from emaild.store.known import KnownMail, inbound_mail, people, remember, twins
from emaild.store.numbers import next_numbers
from emaild.store.prepared import Prepared, among, listed
from emaild.store.schema import interaction, seen

ADD = Prepared(insert(interaction))
SEE = Prepared(insert(seen))
OF_ACCOUNT = seen.c.account == bindparam("account")
TAKEN = Prepared(select(seen.c.key).where(OF_ACCOUNT, among(seen.c.key)))
BROUGHT = Prepared(select(seen.c.digest).where(OF_ACCOUNT, among(seen.c.digest)))


@dataclass(frozen=True)
class Fresh:
    """What a mail became, ready to be stored; *body* is what is stored as its bytes. *rows* are its interactions'."""

    body: bytes = field(repr=False)
    understood: Understood
    rows: Sequence[dict[str, object]] = field(repr=False)

    @property
    def name(self) -> tuple[str, str] | None:
        """Its Message-ID and fingerprint; None: without the one it is like no other."""
        entries = self.understood.interactions
        message_id = entries[0].facts.message_id if entries else None
        return (message_id, self.understood.fingerprint) if message_id else None


def fresh(body: bytes, understood: Understood) -> Fresh:
    """What needs no lock."""
    return Fresh(body, understood, [row_of(entry) for entry in understood.interactions])


class Taking:
    """The mails of one account that one commit keeps."""

    def __init__(self, connection: Connection, account: str, mails: Collection[Fresh]) -> None:
        self._connection = connection
        self._account = account
        self._twins: dict[tuple[str, str], KnownMail] = {}
        for unique in Unique:
            names = [mail.name for mail in mails if mail.understood.unique is unique and mail.name is not None]
            self._twins |= twins(connection, names, account if unique is Unique.IN_ACCOUNT else None)
        self._moved: dict[str, KnownMail] = {}  # by the ids of interactions that came to nothing, what stands for them
        self._raws: list[tuple[str, bytes]] = []
        self._rows: list[dict[str, object]] = []
        self._known: list[tuple[KnownMail, Collection[str], Collection[str]]] = []

    def put(self, mail: Fresh) -> bool:
        """Keep what a mail became, and what is remembered of it, when `end` is called.

        Returns:
            False: it became nothing, or its twin was stored meanwhile.
        """
        understood, name = mail.understood, mail.name
        twin = self._twins.get(name) if name and understood.unique else None
        if twin is not None:
            self._moved.update(dict.fromkeys((entry.id for entry in understood.interactions), twin))
            return False
        for entry, row in zip(understood.interactions, mail.rows, strict=True):
            known = self._placed(entry, row, understood)
            if name:
                self._twins.setdefault(name, known)
            self._raws.append((entry.raw_digest, mail.body))
            self._rows.append(row)
            self._known.append((known, people(entry), understood.subject_matches))
        return bool(understood.interactions)

    def _placed(self, entry: Interaction, row: dict[str, object], understood: Understood) -> KnownMail:
        """In the thread of what was stored in another commit, while this one still believed in its own."""
        root, parent = self._moved.get(entry.thread_id), self._moved.get(entry.parent_id or "")
        if root:
            row["thread_id"] = root.thread_id
        if parent:
            row["parent_id"] = parent.id
        return inbound_mail(entry, self._account, understood, root.thread_id if root else entry.thread_id)

    def end(self, *, submitted: bool) -> None:
        """*submitted*: programs see them at once; else they wait for the rules."""
        if not self._rows:
            return
        numbers: Iterable[int | None] = repeat(None)
        if submitted:
            numbers = next_numbers(self._connection, len(self._rows))
        for row, number in zip(self._rows, numbers, strict=False):
            row["number"] = number
        raw.put_all(self._connection, self._raws)
        ADD.execute_all(self._connection, self._rows)
        remember(self._connection, self._known)


def take(
    connection: Connection, account: str, mails: Sequence[tuple[Inbound, Fresh]], *, settled: bool, submitted: bool
) -> frozenset[str]:
    """As `Interactions.keep`, in its commit."""
    known = taken(connection, account, [inbound.key for inbound, _ in mails])
    digests = listed([mail.understood.digest for _, mail in mails])
    brought = {row.digest for row in BROUGHT.execute(connection, {"account": account} | digests)}
    taking = Taking(connection, account, [mail for _, mail in mails])
    again, rows = set(), []
    for inbound, mail in mails:
        digest = mail.understood.digest
        if inbound.key in known:
            again.add(inbound.key)
            continue
        if digest in brought or not taking.put(mail):
            again.add(inbound.key)
        known.add(inbound.key)
        brought.add(digest)
        rows.append({"account": account, "key": inbound.key, "digest": digest, "settled": settled})
    taking.end(submitted=submitted)
    if rows:
        SEE.execute_all(connection, rows)
    return frozenset(again)


def taken(connection: Connection, account: str, keys: Sequence[str]) -> set[str]:
    """Those of the keys that were taken or skipped."""
    return {row.key for row in TAKEN.execute(connection, {"account": account} | listed(keys))}


def put(connection: Connection, account: str, body: bytes, understood: Understood, *, submitted: bool = False) -> None:
    """Keep what one mail became, and what is remembered of it, in somebody's commit; as `Taking`."""
    mail = fresh(body, understood)
    taking = Taking(connection, account, [mail])
    taking.put(mail)
    taking.end(submitted=submitted)


def add(connection: Connection, entry: Interaction, body: bytes) -> None:
    """Keep an interaction and its bytes, in somebody's commit."""
    raw.put(connection, entry.raw_digest, body)
    ADD.execute(connection, row_of(entry))
