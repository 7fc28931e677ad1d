"""What is asked of SQLite, and how it goes about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, Engine, event

from emaild.store import Store
from emaild.store.prepared import Prepared


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """What is asked of any database meanwhile."""
    asked: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: Any, *more: object) -> None:
        asked.append((statement, parameters))

    def one(self: Prepared, connection: Connection, given: Any) -> Any:
        asked.append((self.text, {**self.fixed, **given}))
        return execute(self, connection, given)

    def several(self: Prepared, connection: Connection, given: Any) -> None:
        asked.append((self.text, [{**self.fixed, **each} for each in given]))
        execute_all(self, connection, given)

    execute, execute_all = Prepared.execute, Prepared.execute_all
    event.listen(Engine, "before_cursor_execute", note)
    try:
        with patch.object(Prepared, "execute", one), patch.object(Prepared, "execute_all", several):
            yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def plans(store: Store, asked: list[tuple[str, Any]]) -> dict[str, list[str]]:
    """How SQLite answers each of them, by the statement."""
    found = {}
    with store._database.read() as connection:
        for statement, parameters in asked:
            if re.match(r"(SELECT|DELETE|UPDATE|INSERT)\b", statement):
                given = parameters[0] if isinstance(parameters, list) else parameters
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
                found[statement] = [row.detail for row in rows]
    return found
