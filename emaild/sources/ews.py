"""Exchange mailboxes over EWS, by exchangelib.

A key is an ItemId, which names a mail for as long as it lies in its folder; what is new is told by SyncFolderItems,
not by the read flag, so a mail that a person read first is not missed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from emaild.errors import RemoteError, Unreachable
from emaild.message import Inbound
from emaild.net.ews import asking
from emaild.net.ews.answers import M, T, refusal
from emaild.net.ews.exchange import Exchange
from emaild.net.ews.folders import found
from emaild.net.ews.place import Place
from emaild.net.oauth.tokens import Tokens
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxSection
from emaild.sources import Listing, Wait
from emaild.sources.ews_fetch import Fetching, batches, done, made
from emaild.sources.ews_listing import START, Items, facts

REQUEST_IDS = 500  # items named in one request; Exchange throttles above 1,000


class Ews:
    """One folder of an Exchange mailbox. With *tokens* it signs in with them, else with the section's password."""

    may_ask_ahead = True

    def __init__(self, section: MailboxSection, place: Place, tokens: Tokens | None = None) -> None:
        self._section = section
        impersonates = section.impersonates_with(section.grant_type, uses_tokens=section.uses_tokens)
        address = section.address or section.mailbox
        self._exchange = Exchange(
            place,
            tokens or (section.mailbox, section.password),
            mailbox=address if impersonates or address != section.mailbox else "",
            impersonates=impersonates,
            version=section.exchange_version,
        )
        self._folder: Any = None
        self._items = Items()
        self._fetching = Fetching(section, self._exchange)

    def open(self) -> None:
        """Sign in and find the folder, unless that was done."""
        if self._folder is None:
            with self._closing():
                self._folder = found(self._exchange, self._section.folder, self._section.folder_separator)

    def look(self, cursor: str | None, again: Sequence[str] = ()) -> Listing:
        """By SyncFolderItems, to its end. At the first contact the folder is listed from its beginning."""
        first = cursor is None
        with self._closing():
            whole = self._items.update(self._exchange, self._opened(), cursor or START)
            if first and not whole and self._section.first is not FirstFetch.ALL:
                reason = f"{len(self._items.facts)} mails so far; the rest at the next try"  # none of them is new
                raise Unreachable(self._exchange.where, "list the old mails", reason)
            still = self._there(again)
        held = self._items.facts
        skipped: list[str] = []
        if first and self._section.first is FirstFetch.NEW:
            skipped = list(held)
        elif first and self._section.first is FirstFetch.UNSEEN:
            skipped = [key for key, fact in held.items() if fact.read]
        left = dict.fromkeys(skipped)
        keys = [key for key in (*still, *held) if key not in left]
        return Listing(
            keys=tuple(dict.fromkeys(keys)),
            cursor=cursor or START,
            cursor_when_done=self._items.cursor,
            held=len(held),
            first_contact=first,
            skipped=tuple(skipped),
        )

    def _there(self, keys: Sequence[str]) -> list[str]:
        """Those of *keys* that still lie on the server; their facts are known then."""
        for part in _parts([key for key in keys if key not in self._items.facts]):
            for message in done(self._exchange, asking.get_facts(part), "ask for mails", len(part)):
                self._items.facts |= facts(message.find(f"{M}Items"))
        return [key for key in keys if key in self._items.facts]

    def before(self, day: datetime, keys: Sequence[str]) -> frozenset[str]:
        """By the time of receipt."""
        held = self._items.facts
        return frozenset(key for key in keys if key in held and (when := held[key].received) is not None and when < day)

    def sizes(self, keys: Sequence[str]) -> Mapping[str, int]:
        """Of those that Exchange stores with more than maximum-msg-size. It does not know what a mail has as MIME."""
        limit, held = self._section.maximum_msg_size, self._items.facts
        return {key: held[key].size for key in keys if limit and key in held and held[key].size > limit}

    def fetch(self, keys: Sequence[str]) -> Iterator[list[Inbound]]:
        """GetItem with MimeContent, batched by number and size; a mail that the server will not give is told of."""
        for batch in batches(keys, self._items.facts):
            with self._closing():
                mails = self._fetching.taken(batch)
            if mails:
                yield mails

    def head(self, key: str, most: int) -> bytes | None:
        """The header as it came, which Exchange keeps beside the mail; the text is not given without the rest."""
        if self._section.enable_big_msg_stripping:
            return None
        with self._closing():
            for message in self._exchange.ask(asking.get_header(key), "fetch the beginning"):
                if refusal(message) is None:
                    text = message.findtext(f".//{T}ExtendedProperty/{T}Value")
                    lines = (text or "").rstrip().splitlines()
                    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()[:most] if lines else None
        return None

    def acknowledge(self, keys: Sequence[str]) -> None:
        """Mark, move or delete; what is gone is no error."""
        after = self._section.after
        if after is AfterFetch.LEAVE or not keys:
            return
        if after is AfterFetch.DELETE:
            self.delete(keys)
            return
        action = f"after-fetch {after}"
        quiet = self._exchange.suppresses_receipts
        with self._closing():
            to = self._section.after_fetch_folder
            folder = made(self._exchange, self._section, to) if after is AfterFetch.MOVE else None
            for part in _parts(keys):
                request = (
                    asking.mark_read(part, suppress_receipts=quiet) if folder is None else asking.move(part, folder)
                )
                done(self._exchange, request, action, len(part))

    def delete(self, keys: Sequence[str]) -> bool:
        """At once."""
        with self._closing():
            for part in _parts(keys):
                request = asking.delete(part, suppress_receipts=self._exchange.suppresses_receipts)
                done(self._exchange, request, "delete", len(part))
        return True

    def finish(self) -> None:
        """Every acknowledgement was a request of its own."""

    def wait(self) -> Wait:
        """By time."""
        return Wait(self._section.cycle_time)

    def close(self) -> None:
        """Drop the connection; the folder is looked for again."""
        self._folder = None
        self._exchange.close()

    # Odds and ends

    def _opened(self) -> Any:
        if self._folder is None:
            raise Unreachable(self._exchange.where, "use the folder", "it is not open")
        return self._folder

    @contextlib.contextmanager
    def _closing(self) -> Iterator[None]:
        try:
            yield
        except RemoteError:
            self.close()
            raise


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), REQUEST_IDS):
        yield keys[start : start + REQUEST_IDS]
