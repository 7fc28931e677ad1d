"""Statements that every mail needs, made once and given to SQLite as they are.

SQLAlchemy takes four times as long for such a statement as SQLite does, and others wait meanwhile for the lock. What
it would convert is up to the caller: Boolean is 0 or 1, JSON is text.
"""

from __future__ import annotations

import json
import sqlite3
from collections import namedtuple
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, ColumnElement, Connection, Select, bindparam, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler

DIALECT = sqlite.dialect(paramstyle="named")
ROW: Any = namedtuple  # whose names mypy wants to know
Found = Any  # a row of a Prepared: its columns as attributes, unconverted


class Prepared:
    """One statement. In the rows that it finds the columns are attributes."""

    def __init__(self, statement: ClauseElement, *columns: str) -> None:
        """*columns* are those that an INSERT fills; none: all."""
        compiled = statement.compile(dialect=DIALECT, column_keys=columns or None)
        assert isinstance(compiled, SQLCompiler)
        self.text = str(compiled)
        self.fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        names = statement.selected_columns.keys() if isinstance(statement, Select) else ()
        self._row = ROW("Row", names)

    def execute(self, connection: Connection, given: Mapping[str, object]) -> list[Found]:
        """Execute it. Returns the rows that it finds."""
        return list(map(self._row._make, _driver(connection).execute(self.text, {**self.fixed, **given})))

    def execute_all(self, connection: Connection, given: Sequence[Mapping[str, object]]) -> None:
        """Execute it once with each of these."""
        _driver(connection).executemany(self.text, [{**self.fixed, **one} for one in given])


def among(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether it is one of `names`, which are given as `listed` makes them: so the statement is one for any number."""
    return column.in_(select(func.json_each(bindparam("names")).table_valued("value").c.value))


def listed(names: Collection[str]) -> dict[str, object]:
    """What `among` asks for."""
    return {"names": json.dumps(list(names))}


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver
