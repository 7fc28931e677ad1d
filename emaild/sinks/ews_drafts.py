"""Mails that Exchange sends as drafts, so that after a lost answer there is something to look at.

A draft that is still there was not sent; one that is gone, or is on its way, was. A mail sent by one request would
leave no trace of whether that was carried out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from emaild.clock import Clock
from emaild.errors import RemoteError
from emaild.message import Outbound, new_id
from emaild.net.ews import asking
from emaild.net.ews.answers import GONE, M, Refused, T, named, refusal
from emaild.net.ews.exchange import Exchange
from emaild.net.ews.folders import DRAFTS, OUTBOX, SENT, own
from emaild.sinks.graph_sent import SEARCHABLE

SENDING, LOOKING = "send", "look for an earlier try"
FOLDERS = (SENT, OUTBOX, DRAFTS)
MOST_FOUND = 50  # mails with one Message-ID that are looked at
PEOPLE = ("ToRecipients", "CcRecipients", "BccRecipients")

_tried: dict[str, Draft | None] = {}
"""By mail, the draft that was or may have been made of it (None: it is not known), until its fate is known."""


@dataclass(frozen=True)
class Draft:
    """A mail in a mailbox; `sent`: Exchange has taken it to be delivered."""

    key: str
    change_key: str
    sent: bool = False


class Drafts:
    """Those of one sink's mailbox. Every method raises RemoteError, and Refused where the server says no to a mail."""

    def __init__(self, exchange: Exchange, clock: Clock, *, keeps_copy: bool) -> None:
        self._exchange = exchange
        self._keeps_copy = keeps_copy
        self._born = new_id(clock.now())  # ids sort by time: what is older may have been tried by a daemon that died

    def earlier(self, mail: Outbound) -> Draft | None:
        """What an earlier try left of the mail; None: there was none, or nothing is to be found of it."""
        draft = _tried.get(mail.id)
        if draft is not None:
            return self._now(mail, draft)
        if mail.id in _tried or mail.attempts or mail.id < self._born:
            return self._found(mail)
        return None

    def make(self, mail: Outbound, raw: bytes) -> Draft:
        """A draft of the mail."""
        _tried[mail.id] = None
        try:
            message = self._asked(asking.draft(own(self._exchange, DRAFTS)), raw)
        except Refused:
            forget(mail)
            raise
        for key, item in named(message.find(f"{M}Items")):
            return _draft(key, item)
        raise Refused("no ItemId", "the server does not say which the draft is")

    def send(self, mail: Outbound, draft: Draft) -> None:
        """Send it; its fate is known after that, unless this raises RemoteError."""
        _tried[mail.id] = draft
        save_in = own(self._exchange, SENT) if self._keeps_copy else None
        try:
            self._asked(asking.send(draft.key, draft.change_key, save_in))
        except Refused as wrong:
            _tried[mail.id] = None  # it was not sent, and must not seem so when the draft is gone
            if not wrong.passes:
                self._drop(mail, draft)
            raise
        forget(mail)

    def _drop(self, mail: Outbound, draft: Draft) -> None:
        """Where that fails, too, the draft is found at the next try."""
        with contextlib.suppress(RemoteError):
            gone = asking.delete([draft.key], suppress_receipts=self._exchange.suppresses_receipts)
            if refusal(self._exchange.first(gone, "delete a draft")) is None:
                forget(mail)

    def _asked(self, request: Any, mail: bytes = b"") -> Any:
        try:
            message = self._exchange.first(request, SENDING, mail=mail)
        except RemoteError as error:
            if isinstance(error.__cause__, Refused):
                raise error.__cause__ from None
            raise
        wrong = refusal(message)
        if wrong is not None:
            raise wrong
        return message

    def _now(self, mail: Outbound, draft: Draft) -> Draft | None:
        """One that nobody answered for. Where no copy is kept, its being gone is all that tells that it was sent."""
        (message,) = self._exchange.each(asking.get_people([draft.key]), LOOKING, 1)
        wrong = refusal(message)
        if wrong is not None and wrong.code in GONE:
            return self._found(mail) if self._keeps_copy else replace(draft, sent=True)
        if wrong is not None:
            raise self._exchange.meaning(wrong, LOOKING)
        return next((_draft(key, item) for key, item in named(message.find(f"{M}Items"))), draft)

    def _found(self, mail: Outbound) -> Draft | None:
        """By its Message-ID, which Exchange keeps; it must go to all the recipients, for others may have the same."""
        if SEARCHABLE.fullmatch(mail.message_id) is None:
            return None
        request = asking.find_mails((own(self._exchange, name) for name in FOLDERS), mail.message_id, MOST_FOUND)
        for name, answer in zip(FOLDERS, self._exchange.each(request, LOOKING, len(FOLDERS)), strict=True):
            for key, item in self._people(answer):
                if _goes_to(item, mail.recipients):
                    found = _draft(key, item)
                    return found if name == DRAFTS else replace(found, sent=True)
        return None

    def _people(self, answer: Any) -> Iterator[tuple[str, Any]]:
        """The items that were found in a folder, with their people."""
        keys = [key for key, _ in named(answer.find(f".//{T}Items"))][:MOST_FOUND] if self._good(answer) else []
        for message in self._exchange.each(asking.get_people(keys), LOOKING, len(keys)) if keys else ():
            if self._good(message):
                yield from named(message.find(f"{M}Items"))

    def _good(self, message: Any) -> bool:
        """False also where we may not look. Raises RemoteError where nobody can tell just now."""
        wrong = refusal(message)
        if wrong is not None and wrong.passes:
            raise self._exchange.meaning(wrong, LOOKING)
        return wrong is None


def forget(mail: Outbound) -> None:
    """Its fate is known."""
    _tried.pop(mail.id, None)


def _draft(key: str, item: Any) -> Draft:
    submitted = (item.findtext(f"{T}IsSubmitted") or "").strip() in ("true", "1")
    return Draft(key, item.find(f"{T}ItemId").get("ChangeKey") or "", submitted)


def _goes_to(item: Any, recipients: Iterable[str]) -> bool:
    """One who is named in Exchange's own way, without an address of the Internet, may be any of them."""
    boxes = [box for name in PEOPLE for box in item.iterfind(f"{T}{name}/{T}Mailbox")]
    inner = [box for box in boxes if (box.findtext(f"{T}RoutingType") or "SMTP").upper() != "SMTP"]
    named_here = {(box.findtext(f"{T}EmailAddress") or "").strip().lower() for box in boxes}
    return len({one.lower() for one in recipients} - named_here) <= len(inner)
