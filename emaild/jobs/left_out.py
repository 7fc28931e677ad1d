"""Mails that are left on their server: those that are too big, have a wrong size, or break every connection.

And those of which only the beginning is taken, which are not left out: what of them stays on the server is their end.

They are remembered with the limit that they exceed, so that they are told of once, also after a restart, and are
taken when the limit is raised. Of a mail that is too big the header is taken, or the mail without its attachments.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from emaild.clock import Clock
from emaild.errors import RemoteError
from emaild.jobs.intake import HEADER, Intake
from emaild.jobs.understand import LARGEST_HEADER, header_of
from emaild.log import events
from emaild.message import Inbound
from emaild.mime.cut import cut, noted
from emaild.settings.mailbox import MailboxSection, MailboxType
from emaild.sources import BATCH_BYTES, BATCH_MAILS, Source
from emaild.store.interactions import Interactions

WRONG_SIZE = 0  # stands for the limit of a mail that has another size than its server told
BREAKS = -1  # stands for the limit of a mail that breaks the connection
MOST_BREAKS = 5  # so often, with nothing else asked for, while other mails come
REST = 86_400.0  # seconds for which it is left out then; the server may have been mended


class LeftOut:
    """What is left out of one section's account. A turn begins with `again`."""

    def __init__(
        self, section: MailboxSection, source: Source, kept: Interactions, intake: Intake, clock: Clock
    ) -> None:
        self._section = section
        self._source = source
        self._kept = kept
        self._intake = intake
        self._clock = clock
        self._place = f"left-out:{section.account}"  # they are kept as the cursor of an account of this name
        self._limits: dict[str, int] = {}
        self._deleted: set[str] = set()  # in this turn; if it fails they are listed, and deleted, again
        self._told: Mapping[str, int] = {}
        self._given = 0  # mails that came
        # How often each broke the connection alone, and how many mails had come when it first was among those that did.
        self._breaks: dict[str, tuple[int, int]] = {}
        self._resting: dict[str, float] = {}  # until when

    def again(self) -> list[str]:
        """Keys that were left out, and that the section would take by now."""
        self._limits = json.loads(self._kept.cursor(self._place) or "{}")
        self._deleted.clear()
        return [key for key in self._limits if self._would_take(key)]

    def _would_take(self, key: str) -> bool:
        limit = self._limits[key]
        if limit == BREAKS:
            return self._resting.get(key, 0.0) <= self._clock.monotonic()
        if limit == WRONG_SIZE:
            return self._section.allow_bad_msg_size
        return not self._section.maximum_msg_size or self._section.maximum_msg_size > limit

    def without(self, keys: Iterable[str]) -> list[str]:
        """Those of *keys* that are not left out."""
        still = {key for key in self._limits if not self._would_take(key)}
        return [key for key in keys if key not in still and key not in self._deleted]

    def is_deleted(self, key: str) -> bool:
        """Whether it was too big and was deleted in this turn."""
        return key in self._deleted

    def forget(self, keys: Iterable[str]) -> None:
        """They were taken, or are gone from the server."""
        gone = set(keys)
        if gone:
            self._remember({key: limit for key, limit in self._limits.items() if key not in gone})
            for key in gone:
                self._breaks.pop(key, None)
                self._resting.pop(key, None)

    # Sizes

    def before_fetch(self, keys: Sequence[str]) -> tuple[list[str], list[str]]:
        """Those that fit, by what the server tells of their sizes; and those that were taken without attachments.

        The others are left out, or deleted.
        """
        section = self._section
        limited = section.maximum_msg_size or section.retrieve_limit or not section.allow_bad_msg_size
        self._told = self._source.sizes(keys) if limited and keys else {}
        big, stripped = self._leave_big({key: size for key, size in self._told.items() if not self._is_long(key)}, {})
        return [key for key in keys if key not in big], stripped

    def fetch(self, keys: Sequence[str]) -> Iterator[list[Inbound]]:
        """Those mails in batches; of one above retrieve-limit no more than its beginning, where the server can."""
        whole, batch, size = list[str](), list[Inbound](), 0
        for key in keys:
            begun = self._beginning(key) if self._is_long(key) else None
            if begun is None:
                whole.append(key)
                continue
            batch.append(begun)
            size += len(begun.raw)
            if len(batch) == BATCH_MAILS or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch
        yield from self._source.fetch(whole)

    def _is_long(self, key: str) -> bool:
        """Whether it is told to be above retrieve-limit; Exchange cannot say how long a mail is, nor give its text."""
        limit = self._section.retrieve_limit or 0
        return 0 < limit < self._told.get(key, 0) and self._section.type is not MailboxType.EWS

    def _beginning(self, key: str) -> Inbound | None:
        """None where the server does not give it."""
        head = self._source.head(key, self._section.retrieve_limit or 0)
        if head is not None and header_of(head) == head:  # the header goes on
            head = self._source.head(key, LARGEST_HEADER)
        return None if head is None else self._cut(Inbound(key=key, raw=head), self._told[key])

    def _cut(self, mail: Inbound, size: int) -> Inbound:
        """Its beginning, of a mail of *size* bytes in all; it is no longer than that, or was cut already: as it is."""
        limit = self._section.retrieve_limit
        if not limit or mail.left or size <= limit:
            return mail
        kept = cut(mail.raw, limit, self._section.mime)
        left = f"all but the first {min(len(kept), size)} of {size} bytes"
        return replace(mail, raw=noted(kept, left), left=left)

    def after_fetch(self, mails: Sequence[Inbound]) -> tuple[list[Inbound], list[str]]:
        """The same by the sizes that they turned out to have; what is above retrieve-limit is cut."""
        self._given += len(mails)
        mails = [self._cut(mail, len(mail.raw)) for mail in mails]
        raws = {mail.key: mail.raw for mail in mails}
        for key in raws:
            self._breaks.pop(key, None)
        big, stripped = self._leave_big({mail.key: len(mail.raw) for mail in mails if not mail.left}, raws)
        wrong = [mail for mail in mails if mail.key not in big and self._has_wrong_size(mail)]
        for mail in wrong:
            events.mail_bad_size(
                section=self._section.name, key=mail.key, told=self._told[mail.key], size=len(mail.raw)
            )
        if wrong:
            self._remember(self._limits | {mail.key: WRONG_SIZE for mail in wrong})
        return [mail for mail in mails if mail.key not in big and mail not in wrong], stripped

    def _has_wrong_size(self, mail: Inbound) -> bool:
        strict = not self._section.allow_bad_msg_size and not mail.left
        return strict and self._told.get(mail.key, len(mail.raw)) != len(mail.raw)

    def _leave_big(self, sizes: Mapping[str, int], raws: Mapping[str, bytes]) -> tuple[set[str], list[str]]:
        """The keys of those above maximum-msg-size, and which of them were taken without attachments."""
        limit = self._section.maximum_msg_size
        big = {key: size for key, size in sizes.items() if limit and size > limit}
        if not big:
            return set(), []
        stripped = [key for key, size in big.items() if self._take_part(key, size, raws.get(key))]
        deleted = self._section.delete_big_msg and self._source.delete(tuple(big))
        if deleted:
            self._deleted.update(big)
        else:
            self._remember(self._limits | {key: limit for key in big if key not in stripped})
        for key, size in big.items():
            if key in stripped:
                events.mail_stripped(section=self._section.name, key=key, size=size, limit=limit)
            else:
                events.mail_too_big(section=self._section.name, key=key, size=size, limit=limit, deleted=deleted)
        return set(big), stripped

    def _take_part(self, key: str, size: int, raw: bytes | None) -> bool:
        """What is taken of a mail that is too big, as far as the server gives it. Whether that stands for the mail."""
        strips = self._section.enable_big_msg_stripping
        if not strips and not self._kept.unknown(self._section.account, [key + HEADER]):
            return False  # when it was left for another limit
        most = self._section.maximum_msg_size if strips else LARGEST_HEADER
        head = self._source.head(key, most) if raw is None else raw[:most]
        if head is None:
            return False
        (self._intake.take_stripped if strips else self._intake.take_header)(key, size, head)
        return strips

    # Broken connections

    def has_broken(self, key: str) -> bool:
        """Whether it was left out for that, and is tried once more."""
        return self._limits.get(key) == BREAKS

    def broke(self, keys: Sequence[str], error: RemoteError) -> None:
        """The connection broke while these mails were asked for."""
        for key in keys:
            self._breaks.setdefault(key, (0, self._given))
        if len(keys) > 1:
            return
        (key,) = keys
        breaks, since = self._breaks[key]
        self._breaks[key] = (breaks + 1, since)
        if breaks + 1 < MOST_BREAKS or self._given == since:  # where no other comes it may be the server
            return
        if key not in self._resting:
            events.mail_breaks_connection(section=self._section.name, key=key, reason=error.reason, retry_in=REST)
        self._resting[key] = self._clock.monotonic() + REST
        self._remember(self._limits | {key: BREAKS})

    def _remember(self, limits: dict[str, int]) -> None:
        self._kept.remember(self._place, json.dumps(limits))
        self._limits = limits
