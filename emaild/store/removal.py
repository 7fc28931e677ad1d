"""Taking the mails of a mailbox out of the store, where an operator removes it with what it brought."""

from __future__ import annotations

from sqlalchemy import func, select

from emaild.store import raw
from emaild.store.engine import Database
from emaild.store.schema import held, interaction

PAGE = 200  # mails in one commit, so that the daemon's commits wait for no more


class Removal:
    """What is remembered of Message-IDs and of what was fetched stays: nothing of it comes back by a later look."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, mailbox: str) -> int:
        """How many mails of a mailbox, by its section's name, there are: interactions, and those that are held."""
        with self._database.read() as connection:
            return sum(
                connection.execute(select(func.count()).where(table.c.mailbox == mailbox)).scalar_one()
                for table in (interaction, held)
            )

    def mails(self, mailbox: str) -> int:
        """Remove them, a page a commit. Returns how many went; what is left after an interrupt goes the next time."""
        gone = 0
        for table in (interaction, held):
            last = ""
            while True:
                query = select(table.c.id, table.c.raw_digest).where(table.c.mailbox == mailbox, table.c.id > last)
                with self._database.write() as connection:
                    rows = connection.execute(query.order_by(table.c.id).limit(PAGE)).all()
                    raw.drop(connection, table, rows)
                gone += len(rows)
                if len(rows) < PAGE:
                    break
                last = rows[-1].id
        return gone
