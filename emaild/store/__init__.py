"""What must not be lost: mails, interactions, the outbox, and what was fetched from where."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from emaild.store.engine import Database, open_database
from emaild.store.figures import Figures
from emaild.store.held import Held
from emaild.store.interactions import Interactions
from emaild.store.known import KnownMails
from emaild.store.late import LateMails
from emaild.store.mailboxes import Mailboxes
from emaild.store.marks import Marks
from emaild.store.outbox import Outbox
from emaild.store.probe import write_to
from emaild.store.pushes import Pushes
from emaild.store.removal import Removal
from emaild.store.sending import Sending
from emaild.store.ways_out import WaysOut
from emaild.store.writes import Writing


class Store:
    """The open store, by its parts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.interactions = Interactions(database)
        self.known = KnownMails(database)
        self.held = Held(database)
        self.marks = Marks(database)
        self.mailboxes = Mailboxes(database)
        self.ways_out = WaysOut(database)
        self.outbox = Outbox(database)
        self.sending = Sending(database)
        self.late = LateMails(database)
        self.writing = Writing(database)
        self.pushes = Pushes(database)
        self.figures = Figures(database)
        self.removal = Removal(database)

    def telling(self, tell: Callable[[], None]) -> AbstractContextManager[None]:
        """As `Database.telling`."""
        return self._database.telling(tell)

    def probe(self, patience: float) -> None:
        """Write something that means nothing, within that many seconds.

        Raises:
            StoreFailed: it cannot be written just now.
        """
        write_to(self._database.path, patience)

    def close(self) -> None:
        """Let go of the file. What was committed is there."""
        self._database.close()


def open_store(directory: Path, migrated: Callable[[int, int], None] = lambda old, new: None) -> Store:
    """The store in that state directory; see `open_database` for what may be wrong with it."""
    return Store(open_database(directory, migrated))
