"""The mailboxes of the test Exchange: folders, items, and a log of what changed in them."""

from __future__ import annotations

import base64
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime

RECEIVED = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
INBOX, ROOT, SENT = "inbox", "msgfolderroot", "sentitems"
DRAFTS, OUTBOX = "drafts", "outbox"


@dataclass
class Item:
    """`kind` is the element that it is; `broken` is the code that it is refused with, `submitted`: it is on its way."""

    id: str
    raw: bytes
    kind: str = "Message"
    read: bool = False
    received: datetime = RECEIVED
    broken: str = ""
    size: int = 0
    submitted: bool = False

    @property
    def stored(self) -> int:
        """Its size as Exchange stores it, which is another than that of its MIME."""
        return self.size or len(self.raw) * 3 // 4 + 500


@dataclass
class Folder:
    """`changes` are pairs of Create, Update, Delete or ReadFlagChange and an item's ID, oldest first."""

    id: str
    name: str
    parent: str
    items: dict[str, Item] = field(default_factory=dict)
    changes: list[tuple[str, str]] = field(default_factory=list)


class Mailbox:
    """One person's. `epoch` is part of every sync state: another one makes those that were given invalid.

    `slow`: what is sent stays on its way.
    """

    def __init__(self, owner: str, delegates: tuple[str, ...] = ()) -> None:
        self.owner = owner
        self.delegates = delegates
        self.epoch = 1
        self.slow = False
        self.folders: dict[str, Folder] = {}
        self._numbers = itertools.count(1)
        for name, shown in (
            (ROOT, ""), (INBOX, "Posteingang"), (SENT, "Gesendete Elemente"), (DRAFTS, "Entwürfe"), (OUTBOX, "Ausgang")
        ):  # fmt: skip
            self.folders[name] = Folder(self._id(f"folder {name}"), shown, "" if name == ROOT else self.root.id)

    @property
    def root(self) -> Folder:
        return self.folders[ROOT]

    @property
    def inbox(self) -> Folder:
        return self.folders[INBOX]

    def _id(self, of: str) -> str:
        """As long as Exchange's, and different only in case for every second one of two."""
        text = f"{of} {next(self._numbers):09d} of {self.owner}".ljust(110)
        return base64.b64encode(text.encode()).decode("ascii")

    def folder(self, name: str) -> Folder | None:
        """By ID, or by the name of one that every mailbox has."""
        return self.folders.get(name) or next((one for one in self.folders.values() if one.id == name), None)

    def below(self, parent: Folder, name: str) -> Folder | None:
        """The folder of that name, in any case."""
        found = (one for one in self.folders.values() if one.parent == parent.id and one.name.lower() == name.lower())
        return next(found, None)

    def make(self, name: str, parent: Folder | None = None) -> Folder:
        """A new folder."""
        made = Folder(self._id("folder"), name, (parent or self.root).id)
        self.folders[made.id] = made
        return made

    def drop(self, *raws: bytes, folder: Folder | None = None, **fields: object) -> list[str]:
        """Put mails there; returns their IDs."""
        into, names = folder or self.inbox, []
        for raw in raws:
            item = Item(self._id("item"), raw, **fields)  # type: ignore[arg-type]
            into.items[item.id] = item
            into.changes.append(("Create", item.id))
            names.append(item.id)
        return names

    def where(self, name: str) -> Folder | None:
        """The folder that an item lies in."""
        return next((one for one in self.folders.values() if name in one.items), None)

    def mark(self, name: str) -> None:
        """Read, as by a person."""
        folder = self.where(name)
        assert folder is not None
        folder.items[name].read = True
        folder.changes.append(("ReadFlagChange", name))

    def remove(self, name: str) -> Item:
        """Out of its folder."""
        folder = self.where(name)
        assert folder is not None
        folder.changes.append(("Delete", name))
        return folder.items.pop(name)

    def move(self, name: str, to: Folder) -> str:
        """To another folder, where it has another ID."""
        item = self.remove(name)
        return self.drop(item.raw, folder=to, read=item.read, received=item.received)[0]

    def held(self, folder: Folder | None = None) -> list[bytes]:
        """The mails of a folder."""
        return [item.raw for item in (folder or self.inbox).items.values()]
