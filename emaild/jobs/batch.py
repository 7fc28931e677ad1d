"""What a mail is held against: the mails that are known, and those of its batch that are not stored yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from emaild.store.known import KnownMail


class Known(Protocol):
    """What is known of mails in and out, as `emaild.store.known.KnownMails` has it. Addresses are in lower case."""

    def by_message_id(self, message_ids: Collection[str]) -> dict[str, KnownMail]:
        """For each of these Message-IDs that is known, the first mail that had it."""

    def by_id(self, names: Collection[str]) -> dict[str, KnownMail]:
        """Those of the interactions and mails out with these ids that are known."""

    def twin(self, message_id: str, fingerprint: str, account: str | None) -> KnownMail | None:
        """The first mail in with the same Message-ID and content; of that account, where one is given."""

    def threads_by_subject(self, matches: Collection[str], address: str) -> list[str]:
        """The threads in which that address wrote or got mails last whose subjects hold these texts."""

    def takes_part(self, thread_id: str, address: str) -> bool:
        """Whether that address wrote or got a mail of the thread."""

    def last(self, thread_id: str) -> datetime | None:
        """When the last mail of the thread came or went."""

    def automatic_mails(self, addresses: Collection[str], since: datetime, thread_id: str | None) -> int:
        """How many automatic mails went to these addresses since then; in that thread, where one is given."""


@dataclass(frozen=True)
class Batch:
    """What is known, and beside it the mails of one account that are to be stored in one commit."""

    stored: Known
    _mails: list[KnownMail] = field(default_factory=list)
    _people: set[tuple[str, str]] = field(default_factory=set)
    _subjects: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, mail: KnownMail, people: Iterable[str], matches: Collection[str]) -> None:
        """From now on this mail is known, too."""
        self._mails.append(mail)
        for address in people:
            self._people.add((mail.thread_id, address))
            self._subjects.update({(match, address): mail.thread_id for match in matches})

    def by_message_id(self, message_ids: Collection[str]) -> dict[str, KnownMail]:
        """As `Known` says."""
        ours = {mail.message_id: mail for mail in reversed(self._mails) if mail.message_id in message_ids}
        return {name: mail for name, mail in ours.items() if name} | self.stored.by_message_id(message_ids)

    def by_id(self, names: Collection[str]) -> dict[str, KnownMail]:
        """As `Known` says: nobody was told the id of a mail that is not stored."""
        return self.stored.by_id(names)

    def twin(self, message_id: str, fingerprint: str, account: str | None) -> KnownMail | None:
        """As `Known` says."""
        wanted = (message_id, fingerprint)
        ours = (mail for mail in self._mails if (mail.message_id, mail.fingerprint) == wanted)
        return self.stored.twin(message_id, fingerprint, account) or next(ours, None)

    def threads_by_subject(self, matches: Collection[str], address: str) -> list[str]:
        """As `Known` says."""
        ours = [self._subjects[match, address] for match in matches if (match, address) in self._subjects]
        return [*ours, *self.stored.threads_by_subject(matches, address)]

    def takes_part(self, thread_id: str, address: str) -> bool:
        """As `Known` says."""
        return (thread_id, address) in self._people or self.stored.takes_part(thread_id, address)

    def last(self, thread_id: str) -> datetime | None:
        """As `Known` says."""
        ours = (mail.at for mail in reversed(self._mails) if mail.thread_id == thread_id)
        return next(ours, None) or self.stored.last(thread_id)

    def automatic_mails(self, addresses: Collection[str], since: datetime, thread_id: str | None) -> int:
        """As `Known` says: no mail in a batch goes out."""
        return self.stored.automatic_mails(addresses, since, thread_id)
