"""From the mails that were fetched for one section to interactions in the store, whole or what is taken of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from emaild.clock import Clock
from emaild.errors import InputError, NotFound, OperatorError, StoreFailed
from emaild.jobs.looking import Looking
from emaild.jobs.notices import Notices, shown_at_once
from emaild.jobs.quarantine import Look, Looked, Quarantine, traceback_of_now
from emaild.jobs.reading import NOTHING, Batch, ReadAhead, Readers
from emaild.jobs.understand import BatchUnderstanding, Read, Understanding, header_of, own_addresses, tell
from emaild.log import events
from emaild.message import Facts, Inbound, Outbound, Understood
from emaild.mime.said import Options
from emaild.mime.strip import without_attachments
from emaild.mime.view import facts
from emaild.settings.load import Settings
from emaild.settings.mailbox import AfterFetch, MailboxSection
from emaild.settings.processing import Attachments, ProcessingSection
from emaild.sources import BATCH_MAILS
from emaild.store import Store
from emaild.store.held import HeldMail, How
from emaild.store.raw import digest

HEADER = "\nheader"  # ends the key of a mail's header, which is taken beside the mail itself; no server's key has it


class Intake:
    """What becomes of one section's mails. It is used by one thread at a time.

    *waiting* is told when interactions were stored that wait for the rules; *readers* may read mails beside it.
    """

    def __init__(
        self,
        section: MailboxSection,
        settings: Callable[[], Settings],
        *,
        store: Store,
        looking: Looking,
        clock: Clock,
        waiting: Callable[[], None] = lambda: None,
        readers: Readers | None = None,
    ) -> None:
        self._section = section
        self._readers = readers
        self._settings = settings
        self._waiting = waiting
        self._store = store
        self._clock = clock
        self._processing: Callable[[], ProcessingSection] = lambda: settings().processing
        self._understanding = Understanding(
            section,
            store.known,
            processing=self._processing,
            own_addresses=lambda: own_addresses(settings().mailboxes.values()),
            queue=lambda: settings().queue_for(section),
        )
        self._quarantine = Quarantine(section, store, looking, clock)
        self._notices = Notices(section, settings)
        self._told: list[Outbound] = []
        self.unreadable: dict[str, str] = {}  # of the mails that were taken last: what kept us from reading some

    def end(self) -> None:
        """Nothing is looked at any more: the process may end."""
        self._quarantine.end()

    def ahead(self, batches: Iterator[Batch], count: int) -> Iterator[tuple[Batch, ReadAhead]]:
        """These batches, with *count* mails at most, and what was read of each before its turn: see `Readers.ahead`."""
        if self._readers is None or count <= BATCH_MAILS:
            return ((batch, NOTHING) for batch in batches)
        return self._readers.ahead(batches, lambda: Options(self._section.mime, self._processing()))

    def take(self, mails: Sequence[Inbound], coming: Sequence[str] = (), read: ReadAhead = NOTHING) -> None:
        """Whole mails. When this returns they are in the store, held or as interactions.

        *coming* are the keys of those that probably come next, see `Quarantine.take`; *read* is what `ahead` gave.

        Raises:
            StoreFailed: some are not.
        """
        self.unreadable.clear()
        stays = [mail for mail in mails if self.stays(mail)]
        others = [mail for mail in mails if not self.stays(mail)]
        self._take(others, () if stays else coming, read, settled=self._section.after is AfterFetch.LEAVE)
        # Settled in the commit that stores them, so that no later turn deletes the rest of them.
        self._take(stays, coming, read, settled=True)

    def stays(self, mail: Inbound) -> bool:
        """Whether it is left where it lies, for it holds what was not taken, and after-fetch would delete that."""
        return bool(mail.left) and self._section.after is AfterFetch.DELETE

    def marked(self, coming: Sequence[str]) -> None:
        """A commit of somebody else's had the mark of these."""
        self._quarantine.marked(coming)

    def _take(self, mails: Sequence[Inbound], coming: Sequence[str], read: ReadAhead, *, settled: bool) -> None:
        if mails:
            keep = partial(self._keep, settled=settled)
            self._quarantine.take(mails, partial(self.look, read), keep, settled=settled, coming=coming)

    def look(self, read: ReadAhead = NOTHING) -> Look:
        """What whole mails become that are stored in one commit; *read* is what some of them were found to say."""
        batch = self._understanding.batch()

        def look(inbound: Inbound) -> Callable[[], Looked]:
            said = read.of(inbound, batch.options)
            return partial(self._whole, batch, batch.expect(inbound, said) if said else batch.read(inbound))

        return look

    def _whole(self, batch: BatchUnderstanding, read: Read) -> Looked:
        inbound, understood = read.inbound, batch.become(read, self._clock.now())
        wrapped = any(entry.facts.wrapped for entry in understood.interactions)
        if self._processing().attachment_mngt is Attachments.REMOVE and not wrapped:
            return _stored_as(without_attachments(inbound.raw, self._section.mime), inbound, understood)
        return inbound, understood

    # Mails that are too big

    def take_header(self, key: str, size: int, head: bytes) -> None:
        """The header of a mail that is not taken; *head* is how the mail begins. Raises as `take` does."""
        header = header_of(head)

        def look(inbound: Inbound) -> Callable[[], Looked]:
            self._write_notice(self._read(inbound.raw), key, size)
            return partial(self._look_at_header, inbound, size)

        self._take_one(Inbound(key=key + HEADER, raw=header), look, settled=True)

    def _look_at_header(self, inbound: Inbound, size: int | None = None) -> Looked:
        return inbound, self._understanding.header(inbound, size, self._clock.now())

    def take_stripped(self, key: str, size: int, head: bytes) -> None:
        """A mail without its attachments; *head* is what there is of it. Raises as `take` does."""

        def look(inbound: Inbound) -> Callable[[], Looked]:
            said = self._read(inbound.raw)
            self._write_notice(said, key, size)
            return partial(self._without_attachments, inbound, said)

        self._take_one(Inbound(key=key, raw=head), look, settled=self._section.after is AfterFetch.LEAVE)

    def _without_attachments(self, inbound: Inbound, said: Facts) -> Looked:
        understood = self._understanding.interactions(inbound, self._clock.now(), said)
        return _stored_as(without_attachments(inbound.raw, self._section.mime), inbound, understood)

    def _take_one(self, mail: Inbound, look: Look, *, settled: bool) -> None:
        self._told.clear()
        self.unreadable.clear()
        self._quarantine.take([mail], lambda: look, partial(self._keep, settled=settled), settled=settled)

    def _read(self, raw: bytes) -> Facts:
        return facts(raw, self._section.mime, self._processing())

    def _write_notice(self, said: Facts, key: str, size: int) -> None:
        if not self._section.notify_big_msg_sender:
            return
        try:
            notice = self._notices.too_big(said, key, size, self._clock.now())
        except InputError as error:
            events.mail_sender_not_told(section=self._section.name, key=key, reason=str(error))
            return
        if notice is not None:
            self._told.append(notice)

    def _send_notices(self, key: str) -> None:
        """Before the mail itself is stored: a notice that is there already is not sent twice, a missing one is."""
        for notice in self._told:
            try:
                self._store.outbox.get(notice.id)
            except NotFound:
                self._store.outbox.add(notice, self._clock.now())
                events.mail_sender_told(section=self._section.name, key=key, outbound=notice.id)

    # Mails that are held

    def again(self, mail: HeldMail) -> Understood | None:
        """Try a held mail once more. It becomes interactions, or stays held with the traceback of now.

        Returns:
            what it became; None: somebody was quicker.

        Raises:
            Exception: whatever our code failed with once more.
        """
        inbound = Inbound(key=mail.key, raw=self._store.held.raw(mail))
        try:
            header = mail.key.endswith(HEADER)
            stored, understood = self._look_at_header(inbound) if header else self.look()(inbound)()
        except (OperatorError, StoreFailed):
            raise
        except Exception:
            now, text = self._clock.now(), traceback_of_now()
            self._store.held.failed_again(replace(mail, at=now, how=How.RAISED, traceback=text))
            raise
        if not self._store.held.release(mail, stored.raw, understood, submitted=self._submitted()):
            return None
        self._say(stored, understood)
        return understood

    # Storing

    def _submitted(self) -> bool:
        return shown_at_once(self._settings())

    def _keep(self, looked: Sequence[Looked], coming: Sequence[str], *, settled: bool) -> None:
        if self._told:
            self._send_notices(looked[0][0].key.removesuffix(HEADER))
        submitted = self._submitted()
        again = self._store.interactions.keep(
            self._section.account, looked, settled=settled, submitted=submitted, coming=coming
        )
        for inbound, understood in looked:
            if inbound.key in again and understood.interactions:
                events.mail_known(section=self._section.name, key=inbound.key)
            else:
                self._say(inbound, understood)
        if not submitted:
            self._waiting()

    def _say(self, inbound: Inbound, understood: Understood) -> None:
        for entry in understood.interactions:
            if entry.facts.wrapped:
                self.unreadable[inbound.key] = entry.facts.wrapped
            events.interaction_created(
                section=self._section.name,
                interaction=entry.id,
                subtype=entry.subtype,
                queue=entry.queue,
                message_id=entry.facts.message_id,
                size=len(inbound.raw),
            )
        if inbound.left:
            events.mail_partly_taken(section=self._section.name, key=inbound.key, left=inbound.left)
        tell(self._section.name, inbound, understood)


def _stored_as(kept: bytes, inbound: Inbound, understood: Understood) -> Looked:
    """With these bytes in the place of the mail's own."""
    name = digest(kept)
    entries = tuple(replace(entry, raw_digest=name) for entry in understood.interactions)
    return replace(inbound, raw=kept), replace(understood, interactions=entries)
