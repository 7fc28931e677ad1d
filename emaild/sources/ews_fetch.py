"""Mails out of an Exchange mailbox, and what becomes of one that the server will not give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emaild.log import events
from emaild.message import Inbound
from emaild.net.ews import asking
from emaild.net.ews.answers import GONE, M, Refused, T, named, refusal
from emaild.net.ews.door import TooLong
from emaild.net.ews.exchange import Exchange
from emaild.net.ews.folders import found
from emaild.net.ews.reading import MimeContent
from emaild.settings.mailbox import MailboxSection
from emaild.sources import BATCH_BYTES, BATCH_MAILS
from emaild.sources.ews_listing import Fact, received

LARGEST_MAIL = 1 << 30  # octets, where maximum-msg-size does not say
NO_MIME = "MimeContent"  # our own code
UNCHANGEABLE = frozenset({"ErrorInvalidPropertySet", "ErrorObjectTypeChanged", "ErrorIncorrectUpdatePropertyCount"})
OF_THE_ITEM = frozenset(
    {
        NO_MIME,
        "ErrorContentConversionFailed",
        "ErrorCorruptData",
        "ErrorItemCorrupt",
        "ErrorItemPropertyRequestFailed",
        "ErrorMessageSizeExceeded",
        "ErrorMimeContentConversionFailed",
        "ErrorMimeContentInvalid",
        "ErrorMimeContentInvalidBase64String",
        "ErrorPropertyValidationFailure",
        "ErrorRightsManagementPermanentException",
        "ErrorUnsupportedMimeConversion",
        "ErrorUnsupportedTypeForConversion",
        "ErrorVirusDetected",
        "ErrorVirusMessageDeleted",
    }
)
"""Codes that are about the mail itself, and will be the same at the next try."""
OF_THE_MAILBOX = frozenset(
    {
        "ErrorAccessDenied",
        "ErrorAccountDisabled",
        "ErrorImpersonateUserDenied",
        "ErrorImpersonationDenied",
        "ErrorImpersonationFailed",
        "ErrorMailboxConfiguration",
        "ErrorMailboxLogonFailed",
        "ErrorNonExistentMailbox",
        "ErrorPasswordChangeRequired",
        "ErrorPasswordExpired",
    }
)
"""Codes that every mail gets alike."""


class Fetching:
    """Takes mails for a section."""

    def __init__(self, section: MailboxSection, exchange: Exchange) -> None:
        self._section = section
        self._exchange = exchange
        limit = section.maximum_msg_size or LARGEST_MAIL
        self._most_octets = 2 * (limit + BATCH_BYTES) + BATCH_BYTES  # base64 adds a third, and more than one may come

    def taken(self, batch: Sequence[str]) -> list[Inbound]:
        """Those of the mails that the server gives.

        One mail that has far more MIME than Exchange stores of it must not keep the others away.

        Raises:
            RemoteError: no answer, or one that is about the mailbox.
        """
        try:
            return list(self._fetched(batch))
        except TooLong as error:
            if len(batch) == 1:
                self._refused(batch[0], Refused(NO_MIME, error.reason))
                return []
        return [mail for key in batch for mail in self.taken([key])]

    def _fetched(self, keys: Sequence[str]) -> Iterator[Inbound]:
        messages = self._exchange.each(asking.get_mails(keys), "fetch", len(keys), most=self._most_octets)
        refused = {}
        for key, message in zip(keys, messages, strict=True):
            wrong = refusal(message) or _mail(key, message)
            if isinstance(wrong, Inbound):
                yield wrong
                continue
            if wrong.passes or wrong.code in OF_THE_MAILBOX:
                raise self._exchange.meaning(wrong, "fetch")
            if wrong.code not in GONE:
                refused[key] = wrong
        for key, wrong in refused.items():
            self._refused(key, wrong)

    def _refused(self, key: str, wrong: Refused) -> None:
        """A mail whose code is not known to be about itself stays where it is."""
        section, action = self._section, "move a failed mail"
        events.mail_refused(section=section.name, key=key, reason=str(wrong))
        if section.move_failed_ews_item and wrong.code in OF_THE_ITEM:
            folder = made(self._exchange, section, section.failed_items_folder_name)
            done(self._exchange, asking.move([key], folder), action, 1)
            events.mail_failed_moved(section=section.name, key=key, folder=section.failed_items_folder_name)


def _mail(key: str, message: Any) -> Inbound | Refused:
    for _, item in named(message.find(f"{M}Items")):
        content = item.find(f"{T}MimeContent")
        if isinstance(content, MimeContent) and content.raw is not None:
            return Inbound(key=key, raw=content.raw, received=received(item))
        return Refused(NO_MIME, "the server does not give the mail as it came")
    return Refused("Items", "the answer has no mail in it")


def batches(keys: Sequence[str], facts: Mapping[str, Fact]) -> Iterator[list[str]]:
    """The keys in parts that are fetched at once. A mail of unknown size counts as large."""
    batch: list[str] = []
    total = 0
    for key in keys:
        fact = facts.get(key)
        size = fact.size if fact else BATCH_BYTES
        if batch and (len(batch) >= BATCH_MAILS or total + size > BATCH_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(key)
        total += size
    if batch:
        yield batch


def made(exchange: Exchange, section: MailboxSection, path: str) -> Any:
    """The folder of that path, which is made where it is not there."""
    return found(exchange, path, section.folder_separator, make=True)


def done(exchange: Exchange, request: Any, action: str, count: int) -> list[Any]:
    """The response messages to a request about *count* mails, each good, or its mail gone or not to be changed.

    Raises:
        RemoteError: no answer, one that says less than was asked, or that refuses.
    """
    messages = exchange.each(request, action, count)
    for message in messages:
        wrong = refusal(message)
        if wrong is not None and wrong.code not in GONE | UNCHANGEABLE:
            raise exchange.meaning(wrong, action)
    return messages
