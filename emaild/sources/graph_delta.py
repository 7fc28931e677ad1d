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

PAGE = "odata.maxpagesize=500"
MOST_PAGES = 10_000
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
    """The mails that came, by their ids; `link` leads to what comes after them. `some`: anything was told at all."""

    messages: dict[str, Message] = field(default_factory=dict)
    link: str = ""
    some: bool = False

    def add(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """A page. What was told earlier and is gone by now counts no more."""
        for entry in entries:
            self.some = True
            if "@removed" in entry:
                self.messages.pop(entry["id"], None)
            else:
                self.messages[entry["id"]] = message(entry)

    def in_order(self) -> tuple[str, ...]:
        """The ids, what was received first before the others."""
        epoch = datetime.min.replace(tzinfo=UTC)
        return tuple(sorted(self.messages, key=lambda key: self.messages[key].received or epoch))


def everything(graph: Graph, folder: str) -> Changes:
    """All that a folder holds.

    Raises:
        RemoteError: it cannot be listed.
    """
    path = f"/mailFolders/{quote(folder, safe='')}/messages/delta?changeType=created&$select={FIELDS}"
    try:
        return _pages(graph, graph.get(path, PAGE), FORGOTTEN)
    except StateGone as error:  # while it was made: at the next turn it is made anew
        raise Unreachable(str(graph), "list", "the list changed too much while it was read") from error


def since(graph: Graph, link: str) -> Changes:
    """What came since that link was given.

    Raises:
        StateGone: Graph forgot it. RemoteError: it cannot be listed.
    """
    return _pages(graph, graph.follow(link, PAGE), (*FORGOTTEN, "erroritemnotfound"))  # a folder made anew, perhaps


def _pages(graph: Graph, answer: Answer, gone: tuple[str, ...]) -> Changes:
    changes, seen = Changes(), set[str]()
    while len(seen) < MOST_PAGES:
        if answer.status == 410 or answer.code.lower() in gone:
            raise StateGone
        if not answer.good:
            raise failed(graph, answer, "list")
        changes.add(answer.listed)
        if "@odata.deltaLink" in answer.said:
            changes.link = graph.target_of(answer.said["@odata.deltaLink"])
            return changes
        link = graph.target_of(answer.said.get("@odata.nextLink"))
        if link in seen:
            break
        seen.add(link)
        answer = graph.follow(link, PAGE)
    raise Unreachable(str(graph), "list", "the list has no end")


def message(entry: Mapping[str, Any]) -> Message:
    """A mail from its JSON; what cannot be read is not known."""
    try:
        received = datetime.fromisoformat(str(entry.get("receivedDateTime")))
        received = (received if received.tzinfo else received.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return Message(None, entry.get("isRead") is True)
    return Message(received, entry.get("isRead") is True)
