"""The store's memory of mails, played by Message-IDs that are given by hand."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from emaild.message import EPOCH
from emaild.store.known import KnownMail


@dataclass(frozen=True)
class KnownIds:
    """All that is known is that mails of ours had these Message-IDs."""

    message_ids: frozenset[str]

    def by_message_id(self, message_ids: Collection[str]) -> dict[str, KnownMail]:
        """As `emaild.jobs.batch.Known` says."""
        found = self.message_ids.intersection(message_ids)
        return {name: KnownMail(id=name, thread_id=name, message_id=name, account=None, at=EPOCH) for name in found}

    def by_id(self, names: Collection[str]) -> dict[str, KnownMail]:
        """As `emaild.jobs.batch.Known` says."""
        return {}

    def twin(self, message_id: str, fingerprint: str, account: str | None) -> KnownMail | None:
        """As `emaild.jobs.batch.Known` says."""
        return None

    def threads_by_subject(self, matches: Collection[str], address: str) -> list[str]:
        """As `emaild.jobs.batch.Known` says."""
        return []

    def takes_part(self, thread_id: str, address: str) -> bool:
        """As `emaild.jobs.batch.Known` says."""
        return False

    def last(self, thread_id: str) -> datetime | None:
        """As `emaild.jobs.batch.Known` says."""
        return None

    def automatic_mails(self, addresses: Collection[str], since: datetime, thread_id: str | None) -> int:
        """As `emaild.jobs.batch.Known` says."""
        return 0

    def got_automatic_mails(self, addresses: Collection[str], since: datetime) -> dict[str, bool]:
        """As `emaild.jobs.batch.Stored` says."""
        return {}
