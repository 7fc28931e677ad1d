"""Mails that are left on their server for their size: which these are, and since when they would be taken.

They are remembered with the limit that they exceed, so that they are told of once, also after a restart, and are
taken when the limit is raised.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from emaild.log import events
from emaild.message import Inbound
from emaild.settings.mailbox import MailboxSection
from emaild.sources import Source
from emaild.store.interactions import Interactions

WRONG_SIZE = 0  # stands for the limit of a mail that has another size than its server told


class LeftOut:
    """What is left out of one section's account. A turn begins with `again`."""

    def __init__(self, section: MailboxSection, source: Source, kept: Interactions) -> None:
        self._section = section
        self._source = source
        self._kept = kept
        self._place = f"left-out:{section.account}"  # they are kept as the cursor of an account of this name
        self._limits: dict[str, int] = {}
        self._deleted: set[str] = set()  # in this turn; if it fails they are listed, and deleted, again
        self._told: Mapping[str, int] = {}

    def again(self) -> list[str]:
        """Keys that were left out, and that the section would take by now."""
        self._limits = json.loads(self._kept.cursor(self._place) or "{}")
        self._deleted.clear()
        return [key for key, limit in self._limits.items() if self._would_take(limit)]

    def _would_take(self, limit: int) -> bool:
        if limit == WRONG_SIZE:
            return self._section.allow_bad_msg_size
        return not self._section.maximum_msg_size or self._section.maximum_msg_size > limit

    def without(self, keys: Iterable[str]) -> list[str]:
        """Those of *keys* that are not left out."""
        still = {key for key, limit in self._limits.items() if not self._would_take(limit)}
        return [key for key in keys if key not in still and key not in self._deleted]

    def forget(self, keys: Iterable[str]) -> None:
        """They were taken, or are gone from the server."""
        gone = set(keys)
        if gone:
            self._remember({key: limit for key, limit in self._limits.items() if key not in gone})

    def before_fetch(self, keys: Sequence[str]) -> list[str]:
        """Those that fit, by what the server tells of their sizes; the others are left out, or deleted."""
        limited = self._section.maximum_msg_size or not self._section.allow_bad_msg_size
        self._told = self._source.sizes(keys) if limited and keys else {}
        big = self._leave_big(self._told)
        return [key for key in keys if key not in big]

    def after_fetch(self, mails: Sequence[Inbound]) -> list[Inbound]:
        """Those that fit, by the sizes that they turned out to have."""
        big = self._leave_big({mail.key: len(mail.raw) for mail in mails})
        wrong = [mail for mail in mails if mail.key not in big and self._has_wrong_size(mail)]
        for mail in wrong:
            events.mail_bad_size(
                section=self._section.name, key=mail.key, told=self._told[mail.key], size=len(mail.raw)
            )
        if wrong:
            self._remember(self._limits | {mail.key: WRONG_SIZE for mail in wrong})
        return [mail for mail in mails if mail.key not in big and mail not in wrong]

    def _has_wrong_size(self, mail: Inbound) -> bool:
        return not self._section.allow_bad_msg_size and self._told.get(mail.key, len(mail.raw)) != len(mail.raw)

    def _leave_big(self, sizes: Mapping[str, int]) -> set[str]:
        """The keys of those above maximum-msg-size."""
        limit = self._section.maximum_msg_size
        big = {key: size for key, size in sizes.items() if limit and size > limit}
        if not big:
            return set()
        deleted = self._section.delete_big_msg and self._source.delete(tuple(big))
        if deleted:
            self._deleted.update(big)
        else:
            self._remember(self._limits | dict.fromkeys(big, limit))
        for key, size in big.items():
            events.mail_too_big(section=self._section.name, key=key, size=size, limit=limit, deleted=deleted)
        return set(big)

    def _remember(self, limits: dict[str, int]) -> None:
        self._kept.remember(self._place, json.dumps(limits))
        self._limits = limits
