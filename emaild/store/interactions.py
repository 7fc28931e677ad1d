"""Interactions, and what was fetched from which mailbox.

Both change in one commit, so that neither is ever without the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, Connection, bindparam, func, literal_column, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert as upsert

from emaild.errors import NotFound
from emaild.message import INBOUND, OUTBOUND, Inbound, Interaction, InteractionState, Understood
from emaild.store import raw
from emaild.store.engine import Database
from emaild.store.inbox_choice import InboxChoice
from emaild.store.interaction_rows import COLUMNS, entry_of
from emaild.store.marks import set_mark
from emaild.store.numbers import last_number
from emaild.store.prepared import Prepared, among, listed
from emaild.store.schema import cursor, interaction, seen
from emaild.store.taking import fresh, take, taken

KEYS_AT_ONCE = 5_000  # so that no statement takes long
PAGE = 200
FEW = 2_000  # rows that may be read and sorted for a page
BY_FEWEST = ("thread_id", "parent_id", "state", "queue", "mailbox", "subtype", "type")


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

    @property
    def given(self) -> dict[str, str]:
        """Those that are not empty."""
        return {name: value for name, value in vars(self).items() if value}

    @property
    def leading(self) -> list[tuple[str, ...]]:
        """What may lead to an index, that first which fits the fewest, as far as is known without counting.

        What is STOPPED is all that was ever worked off, any other state is the work of these days.
        """
        given = self.given
        last = "state" if self.state is InteractionState.STOPPED else ""
        alone: list[tuple[str, ...]] = [
            (name,) for name in sorted(given, key=lambda name: (name == last, BY_FEWEST.index(name)))
        ]
        both = "queue" in given and "state" in given and not (self.thread_id or self.parent_id)
        return [("state", "queue"), *alone] if both else alone or [()]


CURSOR = Prepared(select(cursor.c.cursor).where(cursor.c.account == bindparam("account")))
HERE = upsert(cursor)
MOVE = Prepared(HERE.on_conflict_do_update(index_elements=["account"], set_={"cursor": HERE.excluded.cursor}))
SKIP = Prepared(upsert(seen).on_conflict_do_nothing(), "account", "key", "settled")
STILL_UNSETTLED = (seen.c.account == bindparam("account"), seen.c.settled.is_(False))
UNSETTLED = Prepared(select(seen.c.key).where(*STILL_UNSETTLED))
SETTLE = Prepared(update(seen).where(*STILL_UNSETTLED, among(seen.c.key)).values(settled=True))
GET = Prepared(select(*COLUMNS).where(interaction.c.id == bindparam("name")))
UNSUBMITTED = Prepared(
    select(*COLUMNS)
    .where(interaction.c.number.is_(None))
    .order_by(interaction.c.received, interaction.c.id)
    .limit(bindparam("most"))
)


@cache  # as many as there are combinations of filters
def _listing(given: tuple[str, ...], led_by: tuple[str, ...]) -> Prepared:
    """Those above a number that have all these values, read by one index in its order; an expression uses none."""
    columns = interaction.c
    query = select(*COLUMNS).where(columns.number > bindparam("after"))
    for name in given:
        column = columns[name] if name in led_by else columns[name].concat("")
        query = query.where(column == bindparam(name))
    return Prepared(query.order_by(columns.number).limit(bindparam("most")))


@cache
def _counting(names: tuple[str, ...]) -> Prepared:
    """How many above a number have these values; `few` at most."""
    columns = interaction.c
    fitting = (columns.number > bindparam("after"), *(columns[name] == bindparam(name) for name in names))
    some = select(literal_column("1")).select_from(interaction).where(*fitting).limit(bindparam("few")).subquery()
    return Prepared(select(func.count().label("found")).select_from(some))


class Interactions:
    """The inbound half of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Taking mail in

    def cursor(self, account: str) -> str | None:
        """Where reading that account stands, None before the first contact."""
        with self._database.read() as connection:
            rows = CURSOR.execute(connection, {"account": account})
            return str(rows[0].cursor) if rows else None

    def remember(self, account: str, position: str, skipped: Sequence[str] = ()) -> None:
        """Set the cursor; *skipped* are keys that are never to be taken."""
        with self._database.write() as connection:
            for part in _parts(skipped):
                SKIP.execute_all(connection, [{"account": account, "key": key, "settled": True} for key in part])
            _move(connection, account, position)

    def unknown(self, account: str, keys: Sequence[str]) -> list[str]:
        """Those of *keys* that were never taken nor skipped, in their order."""
        known: set[str] = set()
        for part in _parts(keys):
            with self._database.read() as connection:
                known |= taken(connection, account, part)
        return [key for key in keys if key not in known]

    def keep(
        self,
        account: str,
        mails: Sequence[tuple[Inbound, Understood]],
        *,
        settled: bool,
        submitted: bool = True,
        coming: Sequence[str] = (),
    ) -> frozenset[str]:
        """Mails, their interactions and "this key was taken", in one commit; *settled*: the server need not be told.

        *submitted*: programs see them at once; else they wait for the rules. *coming* are keys that are looked at next:
        their mark (see `Marks`) stands in the same commit.

        Returns:
            the keys that made no interaction: taken meanwhile by another section that reads the same account; or their
            bytes had come before under another key; or the mail is one again that had to be unique.
        """
        ready = [(inbound, fresh(inbound.raw, understood)) for inbound, understood in mails]
        with self._database.write() as connection:
            if coming:
                set_mark(connection, account, coming)
            return take(connection, account, ready, settled=settled, submitted=submitted)

    def unsettled(self, account: str) -> list[str]:
        """Keys that are in the store and of which the server was perhaps not told."""
        with self._database.read() as connection:
            return [row.key for row in UNSETTLED.execute(connection, {"account": account})]

    def settle(self, account: str, keys: Sequence[str], position: str, coming: Sequence[str] = ()) -> None:
        """The server did for these keys what after-fetch asks for; and reading stands at *position* now.

        *coming* is as in `keep`.
        """
        with self._database.write() as connection:
            if coming:
                set_mark(connection, account, coming)
            _move(connection, account, position)
            SETTLE.execute(connection, {"account": account} | listed(keys))

    # Rules and programs

    def unsubmitted(self, most: int) -> list[Interaction]:
        """Those that the rules have not seen, the oldest first."""
        with self._database.read() as connection:
            rows = UNSUBMITTED.execute(connection, {"most": most})
        return [entry_of(row) for row in rows]

    def submitted(self, chosen: Chosen, after: int, most: int) -> list[Interaction]:
        """At most that many with a number above *after*, in the order of their numbers."""
        given, leading = {**chosen.given, "after": after, "few": FEW, "most": most}, chosen.leading
        with self._database.read() as connection:
            few = (names for names in leading if _counting(names).execute(connection, given)[0].found < FEW)
            led_by = next(few, leading[0]) if len(leading) > 1 else leading[0]
            rows = _listing(tuple(chosen.given), led_by).execute(connection, given)
        return [entry_of(row) for row in rows]

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
        terms = self._terms(type, choice or InboxChoice())
        while limit is None or limit > 0:
            query = select(*COLUMNS).where(*terms)
            query = query.order_by(interaction.c.received.desc(), interaction.c.id.desc())
            if last is not None:
                query = query.where(tuple_(interaction.c.received, interaction.c.id) < last)
            with self._database.read() as connection:
                rows = connection.execute(query.limit(min(limit or PAGE, PAGE))).all()
            yield from map(entry_of, rows)
            if not rows:
                return
            last = (rows[-1].received, rows[-1].id)
            limit = None if limit is None else limit - len(rows)

    def _terms(self, type: str, choice: InboxChoice) -> list[ColumnElement[bool]]:
        """What rows must fulfil: to be read in the order of time, or by the index of a value that few have.

        A column that is a part of an expression uses no index.
        """
        exact, columns = {**choice.exact, "type": [type]}, interaction.c
        leading = next((name for name, values in choice.exact.items() if self._few(columns[name].in_(values))), "type")
        fitting = ((columns[name] if name == leading else columns[name].concat(""), exact[name]) for name in exact)
        return [*(column.in_(values) for column, values in fitting), *choice.terms()]

    def _few(self, term: ColumnElement[bool]) -> bool:
        some = select(literal_column("1")).select_from(interaction).where(term).limit(FEW).subquery()
        with self._database.read() as connection:
            return connection.execute(select(func.count()).select_from(some)).scalar_one() < FEW

    def get(self, name: str) -> Interaction:
        """One interaction.

        Raises:
            NotFound: there is none with that id.
        """
        with self._database.read() as connection:
            rows = GET.execute(connection, {"name": name.upper()})
        if not rows:
            raise NotFound(f"no interaction {name}; 'emaild inbox' lists those that are there")
        return entry_of(rows[0])

    def raw(self, entry: Interaction) -> bytes:
        """The mail byte for byte as its server gave it."""
        with self._database.read() as connection:
            return raw.get(connection, entry.raw_digest)

    def prune(self, before: datetime, most: int) -> int:
        """Remove at most that many interactions received earlier, with their mails. Returns how many went."""
        with self._database.write() as connection:
            query = select(interaction.c.id, interaction.c.raw_digest)
            earlier = (interaction.c.type.in_((INBOUND, OUTBOUND)), interaction.c.received < before.timestamp())
            old = connection.execute(query.where(*earlier).limit(most)).all()
            raw.drop(connection, interaction, old)
        return len(old)


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), KEYS_AT_ONCE):
        yield names[start : start + KEYS_AT_ONCE]


def _move(connection: Connection, account: str, position: str) -> None:
    MOVE.execute(connection, {"account": account, "cursor": position})
