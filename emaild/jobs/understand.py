"""What a mail in becomes: interactions with their subtype, thread and attached data; or nothing new.

Nothing is stored and nothing said here: mails are understood, stored in one commit, and then told of with `tell`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import emaild.mime.bounce.reading  # noqa: F401 (or after an upgrade a daemon would load that of a newer emaild)
from emaild.jobs.batch import Batch, Known, Stored
from emaild.jobs.threads import Place, Threads, about, answered, subject_matches
from emaild.log import events
from emaild.message import INBOUND, Facts, Inbound, Interaction, InteractionState, Subtype, Understood, Unique, new_id
from emaild.mime.said import Options, Said, said_by
from emaild.mime.subtype import subtype
from emaild.mime.user_data import user_data
from emaild.mime.view import facts
from emaild.mime.wrapping import wrapping
from emaild.settings.mailbox import MailboxSection
from emaild.settings.processing import ProcessingSection
from emaild.store.known import KnownMail, inbound_mail, people
from emaild.store.raw import digest

NEW, RETURNED = Subtype.INBOUND_NEW, Subtype.INBOUND_NDR
LARGEST_HEADER = 256 << 10  # bytes that are asked for of a mail of which the header only is taken
MOST_REPLY_TO = 10  # addresses of Reply-To that count as the sender's


def header_of(head: bytes) -> bytes:
    """The header of a mail that begins like that."""
    return re.split(rb"(?<=\n)\r?\n", head[:LARGEST_HEADER], maxsplit=1)[0]


class Understanding:
    """How the mails of one mailbox section are understood.

    *own_addresses* are all of ours, in lower case; *queue* names the queue of the section's interactions.
    """

    def __init__(
        self,
        section: MailboxSection,
        known: Stored,
        *,
        processing: Callable[[], ProcessingSection],
        own_addresses: Callable[[], frozenset[str]],
        queue: Callable[[], str],
    ) -> None:
        self.section = section
        self._known = known
        self._processing = processing
        self._own_addresses = own_addresses
        self._queue = queue

    def interactions(self, inbound: Inbound, now: datetime, said: Facts | None = None) -> Understood:
        """What one mail becomes that came now; see `BatchUnderstanding.interactions`."""
        return self.batch().interactions(inbound, now, said)

    def header(self, inbound: Inbound, size: int | None, now: datetime) -> Understood:
        """What stands for a mail above maximum-msg-size, of *size* bytes (None: unknown); *inbound* has its header."""
        limit = self.section.maximum_msg_size
        reason = f"the mail has {size or 'too many'} bytes, more than maximum-msg-size allows ({limit})"
        processing = self._processing()
        said = facts(inbound.raw, self.section.mime, processing)
        return self.interactions(inbound, now, wrapping(said, reason, size or len(inbound.raw), processing))

    def batch(self) -> BatchUnderstanding:
        """To be asked for anew for the mails of each commit."""
        own, batch = self._own_addresses(), Batch(self._known)
        return BatchUnderstanding(self.section, self._processing(), own, self._queue(), batch)


@dataclass(frozen=True)
class Read:
    """What one mail says, before it is held against others; `names` are the Message-IDs in it."""

    inbound: Inbound
    said: Facts
    fingerprint: str
    names: frozenset[str]


@dataclass(frozen=True)
class _Mail(Read):
    """The same with the known mails that it names, by Message-ID."""

    matches: tuple[str, ...]
    referred: Mapping[str, KnownMail]

    @property
    def same_id(self) -> KnownMail | None:
        """The first mail with the same Message-ID."""
        return self.referred.get(self.said.message_id or "")

    @property
    def reused_id_of(self) -> str | None:
        """That mail's id, where it came in and has another content."""
        other = self.same_id
        if other is None or other.out or other.fingerprint in (None, self.fingerprint):
            return None
        return other.id


@dataclass(frozen=True)
class BatchUnderstanding:
    """How mails are understood that are stored in one commit: each knows of those that were understood before it."""

    section: MailboxSection
    processing: ProcessingSection
    own: frozenset[str]
    queue: str
    known: Batch

    @property
    def options(self) -> Options:
        """By what their mails are read."""
        return Options(self.section.mime, self.processing)

    def interactions(self, inbound: Inbound, now: datetime, said: Facts | None = None) -> Understood:
        """What the mail becomes that came now. *said* is what it says, where that is not to be read from its bytes."""
        return self.become(self.read(inbound, said), now)

    def read(self, inbound: Inbound, facts: Facts | None = None) -> Read:
        """What a mail says. Where all of a commit are read before the first becomes something, few queries find all."""
        return self.expect(inbound, said_by(inbound.raw, self.options, facts))

    def expect(self, inbound: Inbound, read: Said) -> Read:
        """The same of a mail that was read already."""
        said = read.facts
        names = frozenset(name for name in (said.message_id, *answered(said), *about(said)) if name)
        self.known.expect(names, senders(said) if self.processing.enable_autowar_detect else ())
        return Read(inbound, said, read.fingerprint, names)

    def become(self, read: Read, now: datetime) -> Understood:
        """What a mail becomes that came now."""
        mail = self._held_against(read)
        unique, taken = self._unique(mail), digest(read.inbound.raw)
        twin = self._twin(mail, unique)
        if twin is not None:
            return Understood(interactions=(), digest=taken, fingerprint=mail.fingerprint, duplicate_of=twin.id)
        recipients = self._recipients(mail.said)
        copies = recipients[: self.section.inbound_msg_copy_limit]
        entries = self._entries(mail, copies, taken, now)
        understood = Understood(
            interactions=entries,
            digest=taken,
            fingerprint=mail.fingerprint,
            unique=unique,
            subject_matches=mail.matches,
            reused_id_of=mail.reused_id_of if unique else None,
            dropped=len(recipients) - len(copies),
        )
        first = inbound_mail(entries[0], self.section.account, understood)
        self.known.add(first, people(entries[0]), mail.matches)
        return understood

    def _held_against(self, read: Read) -> _Mail:
        matches = subject_matches(read.said.subject, self.processing.subject_threading_substrings)
        return _Mail(**vars(read), matches=matches, referred=self.known.by_message_id(read.names))

    # Duplicates

    def _unique(self, mail: _Mail) -> Unique | None:
        """Among which mails this one must be the only one with its Message-ID and content."""
        checked = self.processing.enable_message_id_check and not self.section.copy_message_to_recipients
        if not checked or not mail.said.message_id:
            return None
        return Unique.IN_ACCOUNT if self.processing.enable_same_mail_from_mailboxes else Unique.EVERYWHERE

    def _twin(self, mail: _Mail, unique: Unique | None) -> KnownMail | None:
        if unique is None or mail.same_id is None or mail.said.message_id is None:
            return None
        account = self.section.account if unique is Unique.IN_ACCOUNT else None
        return self.known.twin(mail.said.message_id, mail.fingerprint, account)

    # Splitting

    def _recipients(self, said: Facts) -> list[str | None]:
        """Whom a copy is made for: everybody in To and Cc, once; nobody by name where that is not asked for."""
        if not self.section.copy_message_to_recipients:
            return [None]
        found: dict[str, str | None] = {}
        for address in (*said.to, *said.cc):
            found.setdefault(address.lower(), address)
        return list(found.values()) or [None]

    def _entries(self, mail: _Mail, copies: list[str | None], taken: str, now: datetime) -> tuple[Interaction, ...]:
        said = mail.said
        names = sorted(new_id(now) for _ in copies)  # the first is the root, and the first that is found
        kind: str = subtype(said, self.processing, mail.referred.__contains__)
        if kind == RETURNED and said.automatic is None:
            said = replace(said, automatic="report: returned mail")  # nothing may answer it
        stopped = kind == NEW and not self.processing.enable_mail_loops and said.sender.lower() in self.own
        kind, place = self._place(mail, kind, now)
        thread_id, parent_id = (place.thread_id, place.parent_id) if place else (names[0], None)
        auto_replies = automatic_answers(self.known, self.processing, said, thread_id, now)
        return tuple(
            Interaction(
                id=name,
                type=INBOUND,
                subtype=kind,
                mailbox=self.section.name,
                received=now,
                queue=self.queue,
                thread_id=thread_id,
                raw_digest=taken,
                facts=said,
                user_data=user_data(
                    said,
                    mailbox=address_of(self.section),
                    processing=self.processing,
                    auto_replies=auto_replies,
                    header=(self.section.copy_message_with_header, recipient) if recipient else None,
                ),
                parent_id=parent_id,
                state=InteractionState.STOPPED if stopped else InteractionState.NEW,
            )
            for name, recipient in zip(names, copies, strict=True)
        )

    # Threads

    def _place(self, mail: _Mail, kind: str, now: datetime) -> tuple[str, Place | None]:
        """The subtype, now that the thread is known; and the thread, where it is not a new one."""
        threads = Threads(self.known, self.processing, self.own)
        if kind != NEW:
            return kind, threads.of_report(mail.said, mail.referred, mail.inbound.raw)
        place = threads.of_reply(mail.said, mail.referred, mail.matches, now)
        if place is not None:
            passed_on = place.parent_subtype == Subtype.OUTBOUND_FORWARD
            return (Subtype.INBOUND_EXTERNAL_REPLY if passed_on else Subtype.INBOUND_CUSTOMER_REPLY), place
        same = mail.same_id
        if same is not None and (same.out or same.fingerprint == mail.fingerprint):
            return NEW, Place(thread_id=same.thread_id)  # it came to several mailboxes of ours, or we sent it there
        return NEW, None


def automatic_answers(known: Known, processing: ProcessingSection, said: Facts, thread_id: str, now: datetime) -> int:
    """How many automatic mails we sent of late to the one who wrote a mail of that thread; 0 without detection."""
    addresses = senders(said)
    if not processing.enable_autowar_detect or not addresses:
        return 0
    since = now - timedelta(seconds=processing.autowar_detect_period)
    thread = None if processing.autowar_scan_all_threads_of_contact else thread_id
    return known.automatic_mails(addresses, since, thread)


def senders(said: Facts) -> frozenset[str]:
    """Whom an answer to the mail goes to, in lower case."""
    return frozenset(address.lower() for address in (said.sender, *said.reply_to[:MOST_REPLY_TO]) if address)


def address_of(section: MailboxSection) -> str:
    """A mailbox's own address: the one given, else the name to sign in with."""
    return section.address or section.mailbox


def own_addresses(sections: Iterable[MailboxSection]) -> frozenset[str]:
    """Those of these mailboxes, in lower case. A name to sign in with that is no address is none of them."""
    return frozenset(address.lower() for section in sections if "@" in (address := address_of(section)))


def tell(section: str, inbound: Inbound, understood: Understood) -> None:
    """What is to be said, once it is stored, of a mail beside its interactions."""
    first = understood.interactions[0] if understood.interactions else None
    if understood.duplicate_of is not None:
        events.mail_duplicate(section=section, key=inbound.key, interaction=understood.duplicate_of)
    if first is None:
        return
    if understood.reused_id_of is not None:
        message_id, other = first.facts.message_id, understood.reused_id_of
        events.mail_message_id_reused(section=section, interaction=first.id, other=other, message_id=message_id)
    if understood.dropped:
        events.interaction_copies_dropped(
            section=section, interaction=first.id, copies=len(understood.interactions), dropped=understood.dropped
        )
    if first.state is InteractionState.STOPPED:
        events.mail_looped(section=section, interaction=first.id, sender=first.facts.sender)
