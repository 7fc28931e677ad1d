"""What a mail is held against: the mails that are known, and those of its batch that are not stored yet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from emaild.store.known import KnownMail

Found = TypeVar("Found")


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


class Stored(Known, Protocol):
    """What is known of mails that are in the store."""

    def got_automatic_mails(self, addresses: Collection[str], since: datetime) -> dict[str, bool]:
        """Those of these addresses to which automatic mails went since then."""


@dataclass
class _LookUps(Generic[Found]):
    """What the store answered by name; what is expected to be asked for is asked together."""

    expected: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    found: dict[str, Found] = field(default_factory=dict)

    def of(self, names: Collection[str], ask: Callable[[Collection[str]], dict[str, Found]]) -> dict[str, Found]:
        """What is found of these names."""
        if not self.asked.issuperset(names):
            new = self.expected.union(names) - self.asked
            self.found |= ask(new)
            self.asked |= new
        return {name: self.found[name] for name in names if name in self.found}


@dataclass(frozen=True)
class Batch:
    """What is known, and beside it the mails of one account that are to be stored in one commit."""

    stored: Stored
    _mails: list[KnownMail] = field(default_factory=list)
    _first: dict[str, KnownMail] = field(default_factory=dict)  # by Message-ID
    _people: set[tuple[str, str]] = field(default_factory=set)
    _subjects: dict[tuple[str, str], str] = field(default_factory=dict)
    _referred: _LookUps[KnownMail] = field(default_factory=_LookUps)
    _automatic: _LookUps[bool] = field(default_factory=_LookUps)

    def expect(self, message_ids: Collection[str], addresses: Collection[str]) -> None:
        """A mail will be held against the mails with these Message-IDs, and automatic ones to these addresses."""
        self._referred.expected.update(message_ids)
        self._automatic.expected.update(addresses)

    def add(self, mail: KnownMail, people: Iterable[str], matches: Collection[str]) -> None:
        """From now on this mail is known, too."""
        self._mails.append(mail)
        if mail.message_id:
            self._first.setdefault(mail.message_id, mail)
        for address in people:
            self._people.add((mail.thread_id, address))
            self._subjects.update({(match, address): mail.thread_id for match in matches})

    def by_message_id(self, message_ids: Collection[str]) -> dict[str, KnownMail]:
        """As `Known` says."""
        ours = {name: self._first[name] for name in message_ids if name in self._first}
        return ours | self._referred.of(message_ids, self.stored.by_message_id)

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
        got = self._automatic.of(addresses, lambda names: self.stored.got_automatic_mails(names, since))
        return self.stored.automatic_mails(addresses, since, thread_id) if got else 0
