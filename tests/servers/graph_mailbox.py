"""A mailbox as Exchange Online keeps it for Microsoft Graph: folders, messages, ids of both kinds, and what changed."""

from __future__ import annotations

import email
import email.policy
import email.utils
import hashlib
import itertools
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

WELL_KNOWN = {
    "inbox": "Posteingang",  # by another name than in English, as in mailboxes of other languages
    "drafts": "Entwürfe",
    "sentitems": "Gesendete Elemente",
    "deleteditems": "Gelöschte Elemente",
    "archive": "Archiv",
    "junkemail": "Junk-E-Mail",
}
ADDRESSED = ("To", "Cc", "Bcc")

_numbers = itertools.count(1)


def _id(prefix: str) -> str:
    """An id as Exchange has them: with characters that a URL must not have as they are."""
    return f"{prefix}/{hashlib.sha256(str(next(_numbers)).encode()).hexdigest()[:24]}+="


@dataclass
class Folder:
    """A folder; `changes` are (number, kind, id) in order, `known` what `created` was told for."""

    id: str
    name: str
    parent: str
    changes: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass
class Attached:
    """A file that was attached: its bytes are only counted and summed up."""

    name: str
    content_type: str
    size: int
    digest: str
    inline: bool = False
    content_id: str = ""


@dataclass
class Message:
    """A message; `id` is the immutable one, `place_id` goes with the folder."""

    id: str
    place_id: str
    folder: str
    raw: bytes
    received: datetime
    read: bool = False
    draft: bool = False
    attached: list[Attached] = field(default_factory=list)

    @property
    def header(self) -> email.message.Message:
        return email.message_from_bytes(self.raw, policy=email.policy.compat32)

    def addresses(self, *names: str) -> list[str]:
        values = [str(value) for name in names for value in self.header.get_all(name, [])]
        return [address for _, address in email.utils.getaddresses(values) if address]


class Mailbox:
    """One user's. All methods take the lock that requests take, too."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.lock = threading.RLock()
        self.messages: dict[str, Message] = {}
        self.folders: dict[str, Folder] = {}
        self.sent: list[Message] = []
        self.send_as: set[str] = set()
        self.now = 0
        self.oldest_state = 0  # states before this number are forgotten
        for well_known, name in WELL_KNOWN.items():
            self.folders[well_known] = Folder(_id("AQMk"), name, "")

    def folder(self, name: str) -> Folder | None:
        """By its id, or by the name that it has in every language."""
        known = self.folders.get(name.lower())
        return known or next((one for one in self.folders.values() if one.id == name), None)

    def message(self, name: str) -> Message | None:
        """By either of its ids."""
        return next((one for one in self.messages.values() if name in (one.id, one.place_id)), None)

    def deliver(
        self, *raws: bytes, folder: str = "inbox", read: bool = False, received: datetime | None = None
    ) -> list[str]:
        """Mails that arrive. Returns their immutable ids."""
        with self.lock:
            made = []
            for raw in raws:
                one = self._new(raw, folder, received)
                one.read = read
                made.append(one.id)
            return made

    def draft(self, raw: bytes) -> Message:
        with self.lock:
            one = self._new(raw, "drafts", None)
            one.draft = True
            return one

    def _new(self, raw: bytes, folder: str, received: datetime | None) -> Message:
        place = self.folder(folder)
        assert place is not None
        when = received or datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        one = Message(_id("AAkA-immutable"), _id("AAMk"), place.id, raw, when)
        self.messages[one.id] = one
        self._changed(one, "created")
        return one

    def move(self, one: Message, folder: Folder) -> None:
        with self.lock:
            self._changed(one, "deleted")
            one.folder, one.place_id = folder.id, _id("AAMk")
            self._changed(one, "created")

    def remove(self, one: Message) -> None:
        """To the deleted items; from there for good."""
        trash = self.folders["deleteditems"]
        if one.folder == trash.id:
            self._changed(one, "deleted")
            del self.messages[one.id]
        else:
            self.move(one, trash)

    def mark(self, one: Message, read: bool) -> None:
        with self.lock:
            if one.read != read:
                one.read = read
                self._changed(one, "updated")

    def make(self, name: str, parent: str) -> Folder:
        with self.lock:
            made = Folder(_id("AQMk"), name, parent)
            self.folders[made.id.lower()] = made
            return made

    def submit(self, one: Message) -> None:
        """Exchange takes it; who is in Bcc is told to nobody."""
        with self.lock:
            self.sent.append(one)
            self.move(one, self.folders["sentitems"]) if one.id in self.messages else None

    def forget_states(self) -> None:
        """All links of delta queries that were given until now lead nowhere."""
        with self.lock:
            self.now += 1
            self.oldest_state = self.now

    def held(self, folder: str = "inbox") -> list[Message]:
        """What lies in a folder."""
        with self.lock:
            place = self.folder(folder) or next(one for one in self.folders.values() if one.name == folder)
            return [one for one in self.messages.values() if one.folder == place.id]

    def since(self, folder: Folder, number: int) -> list[tuple[str, str]]:
        """(kind, id) of what changed after that number, the last of each message."""
        last: dict[str, str] = {}
        for at, kind, name in folder.changes:
            if at > number:
                created = last.pop(name, "") == "created" and kind == "updated"
                last[name] = "created" if created else kind
        return [(kind, name) for name, kind in last.items()]

    def _changed(self, one: Message, kind: str) -> None:
        place = self.folder(one.folder)
        assert place is not None
        self.now += 1
        place.changes.append((self.now, kind, one.id))
