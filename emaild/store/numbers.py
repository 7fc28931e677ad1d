"""The order in which interactions are given to programs: whole numbers, each in the commit that shows it to them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from emaild.store.schema import counter

INTERACTION = "interaction"


def next_numbers(connection: Connection, count: int) -> Iterator[int]:
    """That many numbers, above all that were ever given."""
    last = last_number(connection) + count
    row = upsert(counter).values(name=INTERACTION, value=last)
    connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": last}))
    return iter(range(last - count + 1, last + 1))


def last_number(connection: Connection) -> int:
    """The last number given; 0 before the first."""
    return connection.execute(select(counter.c.value).where(counter.c.name == INTERACTION)).scalar_one_or_none() or 0
