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
from emaild.log import events
from emaild.message import Inbound
from emaild.net.ews import asking
from emaild.net.ews.answers import GONE, M, Refused, T, refusal
from emaild.net.ews.door import TooLong
from emaild.net.ews.exchange import Exchange
from emaild.net.ews.folders import found
from emaild.net.ews.place import Place
from emaild.net.ews.reading import MimeContent
from emaild.net.oauth.tokens import Tokens
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxSection
from emaild.sources import Listing, Wait
from emaild.sources.ews_listing import START, Items, facts, named, received

BATCH_MAILS = 50
BATCH_BYTES = 8 << 20
LARGEST_MAIL = 1 << 30  # octets, where maximum-msg-size does not say
REQUEST_IDS = 500  # items named in one request; Exchange throttles above 1,000
UNCHANGEABLE = frozenset({"ErrorInvalidPropertySet", "ErrorObjectTypeChanged", "ErrorIncorrectUpdatePropertyCount"})


class Ews:
    """One folder of an Exchange mailbox. With *tokens* it signs in with them, else with the section's password."""

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
        limit = section.maximum_msg_size or LARGEST_MAIL
        self._most_octets = 2 * (limit + BATCH_BYTES) + BATCH_BYTES  # base64 adds a third, and more than one may come

    def open(self) -> None:
        """Sign in and find the folder, unless that was done."""
        if self._folder is None:
            with self._closing():
                self._folder = found(self._exchange, self._section.folder, self._section.folder_separator)

    def look(self, cursor: str | None, again: Sequence[str] = ()) -> Listing:
        """By SyncFolderItems, to its end. At the first contact the folder is listed from its beginning."""
        first = cursor is None
        with self._closing():
            self._items.update(self._exchange, self._opened(), cursor or START)
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
            for message in self._exchange.ask(asking.get_facts(part), "ask for mails"):
                self._good(message, "ask for mails")
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
        for batch in self._batches(keys):
            with self._closing():
                mails = self._taken(batch)
            if mails:
                yield mails

    def _taken(self, batch: Sequence[str]) -> list[Inbound]:
        """One mail that has far more MIME than Exchange stores of it must not keep the others away."""
        try:
            return list(self._fetched(batch))
        except TooLong as error:
            if len(batch) == 1:
                self._refused(batch[0], Refused("MimeContent", error.reason))
                return []
        return [mail for key in batch for mail in self._taken([key])]

    def _batches(self, keys: Sequence[str]) -> Iterator[list[str]]:
        """One of unknown size counts as large."""
        batch: list[str] = []
        total = 0
        for key in keys:
            fact = self._items.facts.get(key)
            size = fact.size if fact else BATCH_BYTES
            if batch and (len(batch) >= BATCH_MAILS or total + size > BATCH_BYTES):
                yield batch
                batch, total = [], 0
            batch.append(key)
            total += size
        if batch:
            yield batch

    def _fetched(self, keys: Sequence[str]) -> Iterator[Inbound]:
        messages = self._exchange.ask(asking.get_mails(keys), "fetch", most=self._most_octets)
        if len(messages) != len(keys):
            raise Unreachable(self._exchange.where, "fetch", f"{len(keys)} mails were asked for, {len(messages)} came")
        refused = {}
        for key, message in zip(keys, messages, strict=True):
            wrong = refusal(message)
            if wrong is None:
                for _, item in named(message.find(f"{M}Items")):
                    content = item.find(f"{T}MimeContent")
                    raw = content.raw if isinstance(content, MimeContent) else None
                    if raw is None:
                        wrong = Refused("MimeContent", "the server does not give the mail as it came")
                    else:
                        yield Inbound(key=key, raw=raw, received=received(item))
            if wrong is not None and wrong.passes:
                raise self._exchange.meaning(wrong, "fetch")
            if wrong is not None and wrong.code not in GONE:
                refused[key] = wrong
        for key, wrong in refused.items():
            self._refused(key, wrong)

    def _refused(self, key: str, wrong: Refused) -> None:
        section = self._section
        events.mail_refused(section=section.name, key=key, reason=str(wrong))
        if section.move_failed_ews_item:
            folder = self._found(section.failed_items_folder_name)
            self._done(self._exchange.ask(asking.move([key], folder), "move a failed mail"), "move a failed mail")
            events.mail_failed_moved(section=section.name, key=key, folder=section.failed_items_folder_name)

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
            folder = self._found(self._section.after_fetch_folder) if after is AfterFetch.MOVE else None
            for part in _parts(keys):
                request = (
                    asking.mark_read(part, suppress_receipts=quiet) if folder is None else asking.move(part, folder)
                )
                self._done(self._exchange.ask(request, action), action)

    def delete(self, keys: Sequence[str]) -> bool:
        """At once."""
        with self._closing():
            for part in _parts(keys):
                request = asking.delete(part, suppress_receipts=self._exchange.suppresses_receipts)
                self._done(self._exchange.ask(request, "delete"), "delete")
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

    def _found(self, path: str) -> Any:
        return found(self._exchange, path, self._section.folder_separator, make=True)

    def _good(self, message: Any, action: str) -> bool:
        """Whether it is; False where what it is about is gone. Raises RemoteError for all else."""
        wrong = refusal(message)
        if wrong is not None and wrong.code not in GONE | UNCHANGEABLE:
            raise self._exchange.meaning(wrong, action)
        return wrong is None

    def _done(self, messages: Sequence[Any], action: str) -> None:
        for message in messages:
            self._good(message, action)

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
