"""What came into a folder of Microsoft Graph since the last look (Graph, delta query for messages)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from emaild.errors import Unreachable
from emaild.net.graph import Graph, failed
from emaild.net.graph_answer import Answer
from emaild.sources import as_key

PAGE = "odata.maxpagesize=500"
LONGEST_PAGE = 2 << 20  # bytes; a page of a thousand mails has a quarter of that
MOST_IN_PAGE = 5_000  # entries; we ask for 500
MOST_PAGES = 100  # in a look, as are the next two: what remains is for the next
MOST_LISTED = 20_000  # entries
MOST_BYTES = 16 << 20
FIELDS = "receivedDateTime,isRead"
FORGOTTEN = ("syncstatenotfound", "syncstateinvalid", "resyncrequired", "errorinvalidsyncstatedata")
"""Graph does not know the state any more of which the link is the name."""


class StateGone(Exception):
    """The link leads nowhere any more; all has to be listed anew."""


@dataclass(frozen=True)
class Message:
    """A mail as it is listed."""

    received: datetime | None
    read: bool


@dataclass
class Changes:
    """The mails that came, by their ids; `link` leads to what comes after them.

    `told`: how much it was, with what is gone by now. `whole`: the list ended, and was not only enough for one look.
    """

    messages: dict[str, Message] = field(default_factory=dict)
    link: str = ""
    told: int = 0
    whole: bool = False

    def add(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """A page. What was told earlier and is gone by now counts no more."""
        self.told += len(entries)
        for entry in entries:
            key = as_key(entry["id"])
            if "@removed" in entry:
                self.messages.pop(key, None)
            else:
                self.messages[key] = message(entry)

    def in_order(self) -> tuple[str, ...]:
        """The ids, what was received first before the others."""
        epoch = datetime.min.replace(tzinfo=UTC)
        return tuple(sorted(self.messages, key=lambda key: self.messages[key].received or epoch))


@dataclass(frozen=True)
class Cursor:
    """Where in the list of all changes a mailbox is: before what `link` leads to, empty at the beginning.

    `first` is when the first contact was, as long as not all was listed that lay there then.
    """

    link: str
    first: datetime | None = None

    @classmethod
    def of(cls, text: str | None, now: datetime) -> Cursor:
        """What `str` made of it; of nothing the beginning, first seen *now*."""
        if not text:
            return cls("", now)
        first, blank, link = text.partition(" ")  # a link has none
        return cls(link, datetime.fromisoformat(first)) if blank else cls(text)

    def is_old(self, mail: Message) -> bool:
        """Whether it lay there at the first contact, though it is listed only now."""
        return bool(self.first and mail.received and mail.received < self.first)

    def __str__(self) -> str:
        return f"{self.first.isoformat()} {self.link}" if self.first else self.link

    def then(self, changes: Changes) -> Cursor:
        """What follows it when those were taken; where nothing came it stays, for then nothing is to be written."""
        if changes.whole and not changes.told and not self.first:
            return self
        return Cursor(changes.link, None if changes.whole else self.first)


def everything(graph: Graph, folder: str) -> Changes:
    """All that a folder holds.

    Raises:
        RemoteError: it cannot be listed.
    """
    path = f"/mailFolders/{quote(folder, safe='')}/messages/delta?changeType=created&$select={FIELDS}"
    try:
        return _pages(graph, graph.get(path, PAGE, most=LONGEST_PAGE), FORGOTTEN)
    except StateGone as error:  # while it was made: at the next turn it is made anew
        raise Unreachable(str(graph), "list", "the list changed too much while it was read") from error


def since(graph: Graph, link: str) -> Changes:
    """What came since that link was given.

    Raises:
        StateGone: Graph forgot it. RemoteError: it cannot be listed.
    """
    gone = (*FORGOTTEN, "erroritemnotfound")  # the latter for a folder made anew, perhaps
    return _pages(graph, graph.follow(link, PAGE, most=LONGEST_PAGE), gone)


def _pages(graph: Graph, answer: Answer, gone: tuple[str, ...]) -> Changes:
    changes, seen, size = Changes(), set[str](), 0
    while True:
        if answer.status == 410 or answer.code.lower() in gone:
            raise StateGone
        if not answer.good:
            raise failed(graph, answer, "list")
        listed, size = answer.listed, size + len(answer.body)
        if len(listed) > MOST_IN_PAGE:
            raise Unreachable(str(graph), "list", f"a page has {len(listed)} entries, and 500 were asked for")
        changes.add(listed)
        changes.whole = "@odata.deltaLink" in answer.said
        changes.link = graph.target_of(answer.said.get("@odata.deltaLink" if changes.whole else "@odata.nextLink"))
        if changes.whole:
            return changes
        if changes.link in seen:
            raise Unreachable(str(graph), "list", "the list has no end")
        seen.add(changes.link)
        if len(seen) >= MOST_PAGES or changes.told >= MOST_LISTED or size >= MOST_BYTES:
            return changes
        answer = graph.follow(changes.link, PAGE, most=LONGEST_PAGE)


def message(entry: Mapping[str, Any]) -> Message:
    """A mail from its JSON; what cannot be read is not known."""
    try:
        received = datetime.fromisoformat(str(entry.get("receivedDateTime")))
        received = (received if received.tzinfo else received.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return Message(None, entry.get("isRead") is True)
    return Message(received, entry.get("isRead") is True)
