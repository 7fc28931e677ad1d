"""What an Exchange folder holds, as SyncFolderItems tells of it: kept between turns, continued by a sync state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from emaild.errors import Rejected
from emaild.net.ews import asking
from emaild.net.ews.answers import M, T, named, refusal
from emaild.net.ews.exchange import Exchange

START = "-"  # the cursor of a folder that is to be listed from its beginning; no sync state is written so
LONGEST_STATE = 1 << 20  # characters; a state of Exchange's has some thousands
MOST_ITEMS = 2_000_000
MOST_PAGES = 4_000  # of one look: MOST_ITEMS, where they are full
MOST_EMPTY = 16  # one after the other; Exchange sends a few where what changed is no mail
STALE = frozenset({"ErrorInvalidSyncStateData"})
NO_MAILS = frozenset({"CalendarItem", "Contact", "DistributionList", "Task", "Person", "Network"})


@dataclass(frozen=True)
class Fact:
    """What is known of an item before it is fetched; `size` as Exchange stores it, which no MIME has exactly."""

    size: int
    received: datetime | None
    read: bool


class Items:
    """The items of one folder that came since a cursor.

    They stay until the cursor moves: a folder of 100,000 mails is listed once, not once for each turn.
    """

    def __init__(self) -> None:
        self._cursor: str | None = None
        self._state = ""
        self._changed = False
        self.facts: dict[str, Fact] = {}

    @property
    def cursor(self) -> str:
        """What the next `update` may be given. A state that is too long to be kept begins anew instead."""
        if not self._changed and self._cursor is not None:
            return self._cursor  # so that nothing is written while nothing happens
        return self._state if 0 < len(self._state) <= LONGEST_STATE else START

    def update(self, exchange: Exchange, folder: Any, cursor: str) -> bool:
        """Ask for what changed since the last update, or since *cursor*, where that is another one.

        A state that the server does not know any more begins anew: what was taken is known by its key. Returns whether
        that was all; a server that tells of too much, or of nothing too often, is asked for the rest the next time.

        Raises:
            RemoteError: the server failed; what was told before stands.
        """
        if cursor != self._cursor:
            self._begin(cursor)
        empty = 0
        for _ in range(MOST_PAGES):
            message = self._page(exchange, folder)
            before, self._state = self._state, message.findtext(f"{M}SyncState") or ""
            empty = 0 if self._apply(message.find(f"{M}Changes")) else empty + 1
            if len(self.facts) > MOST_ITEMS:
                raise Rejected(exchange.where, "list changes", f"the folder holds more than {MOST_ITEMS} mails")
            last = (message.findtext(f"{M}IncludesLastItemInRange") or "").strip() not in ("false", "0")
            if last or self._state in ("", before):  # a state that stands still would be asked for for ever
                return True
            if empty == MOST_EMPTY:
                return False
        return False

    def _page(self, exchange: Exchange, folder: Any) -> Any:
        request = asking.sync_items(folder, self._state, asking.MOST_CHANGES)
        message = exchange.first(request, "list changes")
        wrong = refusal(message)
        if wrong is None:
            return message
        if wrong.code not in STALE or not self._state:
            raise exchange.meaning(wrong, "list changes") from wrong
        cursor = self._cursor
        self._begin(START)
        self._cursor = cursor
        return self._page(exchange, folder)

    def _begin(self, cursor: str) -> None:
        self._cursor = cursor
        self._state = "" if cursor == START else cursor
        self._changed = False
        self.facts = {}

    def _apply(self, changes: Any) -> bool:
        """Whether there were any."""
        for change in () if changes is None else changes:
            self._changed = True
            if change.tag in (f"{T}Create", f"{T}Update"):
                self.facts |= facts(change)
            elif change.tag == f"{T}Delete":
                name = change.find(f"{T}ItemId")
                self.facts.pop("" if name is None else name.get("Id") or "", None)
        return changes is not None and len(changes) > 0


def facts(items: Any) -> Mapping[str, Fact]:
    """Those of the mails below an element, by their IDs."""
    return {key: _fact(item) for key, item in named(items) if item.tag.rpartition("}")[2] not in NO_MAILS}


def _fact(item: Any) -> Fact:
    size = (item.findtext(f"{T}Size") or "").strip()
    return Fact(
        size=int(size[:12]) if size.isascii() and size.isdigit() else 0,
        received=received(item),
        read=(item.findtext(f"{T}IsRead") or "").strip() in ("true", "1"),
    )


def received(item: Any) -> datetime | None:
    """When an item reached the mailbox, as far as the server says it in a way that can be read."""
    try:
        when = datetime.fromisoformat((item.findtext(f"{T}DateTimeReceived") or "").strip())
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
