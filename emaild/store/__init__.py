"""What must not be lost: mails, interactions, the outbox, and what was fetched from where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from emaild.store.engine import Database, open_database
from emaild.store.held import Held
from emaild.store.interactions import Interactions
from emaild.store.known import KnownMails
from emaild.store.mailboxes import Mailboxes
from emaild.store.marks import Marks
from emaild.store.outbox import Outbox


class Store:
    """The open store, by its parts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.interactions = Interactions(database)
        self.known = KnownMails(database)
        self.held = Held(database)
        self.marks = Marks(database)
        self.mailboxes = Mailboxes(database)
        self.outbox = Outbox(database)

    def close(self) -> None:
        """Let go of the file. What was committed is there."""
        self._database.close()


def open_store(directory: Path, migrated: Callable[[int, int], None] = lambda old, new: None) -> Store:
    """The store in that state directory; see `open_database` for what may be wrong with it."""
    return Store(open_database(directory, migrated))
