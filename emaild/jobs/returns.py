"""Notices of our own of mails that did not arrive, or are late: they come in as interactions, and nobody is sent one.

They are RFC 3464 reports as a mail server would send them, so a rule or a program that knows those knows ours.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from emaild.diagnosis import diagnose_receipt
from emaild.errors import InputError
from emaild.jobs.notices import shown_at_once
from emaild.jobs.understand import Understanding, address_of, header_of, own_addresses
from emaild.log import events
from emaild.message import Delivery, Inbound, Receipt, RecipientState
from emaild.mime import headers
from emaild.mime.parts import parsed
from emaild.mime.view import facts
from emaild.render.delivery_report import Reported, delivery_report
from emaild.render.templates import rendered
from emaild.settings.load import Settings
from emaild.settings.mailbox import MailboxSection
from emaild.settings.properties import MimeProperties
from emaild.settings.way_out import WayOutSection
from emaild.store import Store
from emaild.store.late import Late, Notice
from emaild.store.leases import Leased

NOT_DELIVERED, DELAYED = "notices/not-delivered.txt", "notices/delayed.txt"
ACCOUNT = "notices"  # where they are remembered to come from
READING = MimeProperties()
TOLD = 20  # mails of which notices are written in one commit
STEPS = 20  # commits in one run; the rest is told a minute later
LONGEST_SUBJECT = 200  # characters of the mail's subject that are repeated
MOST_TOLD = 50  # recipients that are described in the text; the report names all


class Returns:
    """Writes them for one way out, where its options ask for them, by the settings of the moment.

    *waiting* is told when there are some that wait for the rules.
    """

    def __init__(
        self,
        section: WayOutSection,
        settings: Callable[[], Settings],
        store: Store,
        waiting: Callable[[], None] = lambda: None,
    ) -> None:
        self._section = section
        self._settings = settings
        self._store = store
        self._waiting = waiting

    def of_try(self, leased: Leased, delivery: Delivery, now: datetime, *, last: bool) -> Notice | None:
        """Of those who never get the mail, after a try; *last*: it is not tried again."""
        done = (RecipientState.FAILED, RecipientState.WAITING) if last else (RecipientState.FAILED,)
        failed = [one for one in delivery.receipts if one.state in done]
        if not failed or not self._section.failure_notice:
            return None
        mail = leased.mail
        return self._notice(
            Reported(
                id=mail.id,
                sender=mail.sender,
                created=leased.created,
                raw=mail.raw,
                receipts=failed,
                server=delivery.server,
            ),
            now,
        )

    def of_overdue(self, before: datetime, now: datetime) -> dict[tuple[str, int], Notice | None] | None:
        """Of some mails that are to be given up now, by id and attempts; None: nobody wants to know of any."""
        if not self._section.failure_notice:
            return None
        late = self._store.late.waiting(self._section.name, before, TOLD)
        return {(one.entry.id, one.entry.attempts): self._notice(_of(one), now) for one in late}

    def tell_of_late(self, now: datetime) -> None:
        """Tell of mails that wait for longer than delay-notice-after, each once."""
        section = self._section
        if not section.delay_notice_after:
            return
        before = now - timedelta(seconds=section.delay_notice_after)
        for _ in range(STEPS):
            late = self._store.late.untold(section.name, before, TOLD)
            notices = {
                one.entry.id: self._notice(
                    _of(one, until=one.entry.created + timedelta(seconds=section.message_lifetime)), now
                )
                for one in late
            }
            told = self._store.late.tell(notices) if notices else set()
            for name in told:
                self.tell(notices[name])
            if len(late) < TOLD:
                return

    def tell(self, notice: Notice | None) -> None:
        """To be called when it is stored."""
        if notice is None:
            return
        for entry in notice.understood.interactions:
            events.interaction_created(
                section=entry.mailbox,
                interaction=entry.id,
                subtype=entry.subtype,
                queue=entry.queue,
                message_id=entry.facts.message_id,
                size=len(notice.inbound.raw),
            )
        if not notice.submitted:
            self._waiting()

    def _notice(self, about: Reported, now: datetime) -> Notice | None:
        """What the mail's report becomes; None: nobody is to be told, for no person wrote the mail (RFC 3834 §2)."""
        header = parsed(header_of(about.raw), READING).header
        by_program = headers.word(header, "Auto-Submitted") not in ("", "no")
        if not about.sender or not about.receipts or by_program:
            return None
        settings = self._settings()
        said = facts(header_of(about.raw), READING)
        try:
            raw = self._written(about, said.subject, settings, now)
        except InputError as error:
            events.outbound_notice_failed(section=self._section.name, outbound=about.id, reason=str(error))
            return None
        box = _box_of(said.sender or about.sender, settings)
        understanding = Understanding(
            box,
            self._store.known,
            processing=lambda: settings.processing,
            own_addresses=lambda: own_addresses(settings.mailboxes.values()),
            queue=lambda: settings.queue_for(box),
        )
        inbound = Inbound(key=about.id, raw=raw)
        understood = understanding.interactions(inbound, now)
        return Notice(account=ACCOUNT, inbound=inbound, understood=understood, submitted=shown_at_once(settings))

    def _written(self, about: Reported, about_subject: str, settings: Settings, now: datetime) -> bytes:
        subject = " ".join(about_subject.split())[:LONGEST_SUBJECT]
        values = {
            "subject": subject,
            "created": about.created,
            "until": about.until,
            "recipients": [_described(one, about.server) for one in about.receipts[:MOST_TOLD]],
            "outbound": about.id,
            "way_out": self._section.name,
        }
        text = rendered(DELAYED if about.until else NOT_DELIVERED, settings.emaild.template_folders, values)
        heading = "Delayed" if about.until else "Not delivered"
        domain = settings.processing.default_domain or about.sender.rpartition("@")[2]
        return delivery_report(about, f"{heading}: {subject}", text, now=now, domain=domain)


def _of(late: Late, until: datetime | None = None) -> Reported:
    entry = late.entry
    waiting = [one for one in entry.recipients if one.state is RecipientState.WAITING]
    return Reported(
        id=entry.id, sender=entry.sender, created=entry.created, raw=late.raw, receipts=waiting, until=until
    )


def _box_of(sender: str, settings: Settings) -> MailboxSection:
    """The mailbox where answers to that address come; else one without options, for the default queue."""
    wanted = sender.lower()
    boxes = (box for box in settings.mailboxes.values() if address_of(box).lower() == wanted)
    return next(boxes, None) or MailboxSection(name="", mailbox="")


def _described(receipt: Receipt, server: str) -> dict[str, str]:
    found = diagnose_receipt(receipt, server)
    return {
        "address": receipt.address,
        "said": f"{receipt.code} {receipt.text}".strip(),
        "explanation": found.explanation if found else "",
        "remedy": found.remedy if found else "",
    }
