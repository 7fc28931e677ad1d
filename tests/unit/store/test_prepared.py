"""Statements that are given to SQLite as they are."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, MetaData, Table, Text, bindparam, select, update

from emaild.errors import StoreFailed
from emaild.store import Store
from emaild.store.prepared import Prepared, among, listed
from emaild.store.schema import outbox
from tests.clock import START
from tests.samples import in_outbox, outbound

NAMES = Prepared(select(outbox.c.id, outbox.c.attempts).where(among(outbox.c.id)).order_by(outbox.c.id))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_rows_are_found_by_any_number_of_names(store: Store, count: int) -> None:
    mails = [outbound() for _ in range(3)]
    for mail in mails:
        store.outbox.add(mail, START)
    wanted = sorted(mail.id for mail in mails)[:count]
    with store._database.read() as connection:
        found = NAMES.execute(connection, listed([*wanted, "none'; \" of them"]))
    assert [(row.id, row.attempts) for row in found] == [(name, 0) for name in wanted]


def test_what_a_statement_says_itself_is_given_along_with_what_is_given(store: Store) -> None:
    mails = [outbound() for _ in range(2)]
    for mail in mails:
        store.outbox.add(mail, START)
    more = Prepared(
        update(outbox).where(outbox.c.id == bindparam("name")).values(attempts=outbox.c.attempts + 5, cause="said")
    )
    with store._database.write() as connection:
        more.execute(connection, {"name": mails[0].id})
        more.execute_all(connection, [{"name": mail.id} for mail in mails])
    assert {entry.id: (entry.attempts, entry.cause) for entry in in_outbox(store)} == {
        mails[0].id: (10, "said"),
        mails[1].id: (5, "said"),
    }


def test_what_sqlite_refuses_is_a_failure_of_the_store(store: Store) -> None:
    missing = Prepared(select(Table("missing", MetaData(), Column("name", Text))))
    with pytest.raises(StoreFailed, match="no such table: missing"), store._database.read() as connection:
        missing.execute(connection, {})
