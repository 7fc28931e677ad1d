"""Mails of our own to those who wrote to us: that a mail was not taken whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from emaild.errors import InputError
from emaild.jobs.outgoing import outgoing
from emaild.jobs.understand import address_of
from emaild.message import ID_DIGITS, INBOUND, Facts, Outbound
from emaild.mime.subtype import returns_mails
from emaild.render.compose import Draft, compose
from emaild.render.templates import rendered
from emaild.settings.load import Settings
from emaild.settings.mailbox import MailboxSection
from emaild.settings.routes import Wanted
from emaild.settings.rule import counting

TOO_BIG = "notices/too-big.txt"
LONGEST_SUBJECT = 200  # characters of the other's subject that are repeated


@dataclass(frozen=True)
class Notices:
    """Writes them for one mailbox section, by the settings of the moment."""

    section: MailboxSection
    settings: Callable[[], Settings]

    def too_big(self, said: Facts, key: str, size: int, now: datetime) -> Outbound | None:
        """To the sender of a mail above maximum-msg-size; None: nobody is to be told (RFC 3834 §2).

        It has the same id whenever it is made for the same mail, so that it is sent once.

        Raises:
            InputError: somebody is to be told and cannot be; the text says why.
        """
        recipient = said.sender if said.return_path is None else said.return_path
        own = address_of(self.section)
        if not recipient or recipient.lower() == own.lower() or _is_automatic(said):
            return None
        settings = self.settings()
        if returns_mails(said, settings.processing):
            return None
        if "@" not in own:
            raise InputError("the mailbox's own address is not known: give it as address")
        way = settings.way_out_for(Wanted(sender=own))
        if way is None:
            raise InputError("there is no way out")
        subject = " ".join(said.subject.split())[:LONGEST_SUBJECT]
        values = {"now": now, "subject": subject, "size": size, "limit": self.section.maximum_msg_size, "mailbox": own}
        folders = settings.emaild.template_folders
        answered = (("In-Reply-To", said.message_id), ("References", said.message_id)) if said.message_id else ()
        draft = Draft(
            sender=own,
            to=(recipient,),
            subject=f"Your mail is too big: {subject}",
            text=rendered(TOO_BIG, folders, values),
            headers=(("Auto-Submitted", "auto-replied"), *answered),
        )
        mail = compose(draft, now=now, domain=settings.processing.default_domain, writing=way.mime)
        lasting = _lasting_id(f"{TOO_BIG} {self.section.account} {key}")
        return replace(outgoing(mail, way, settings.processing, now), id=lasting)


def shown_at_once(settings: Settings) -> bool:
    """Whether programs see what comes in at once: where no rule is to see it, and nobody holds it back."""
    held_back = not settings.processing.enable_inbound_submitter
    return not (held_back or counting(settings.rules.values(), INBOUND))


def _is_automatic(said: Facts) -> bool:
    """Whether no person wrote it, as far as its header tells: of a report that is too big there is no more."""
    kinds = (value.lower() for name, value in said.headers if name.lower() == "content-type")
    return said.automatic is not None or said.report is not None or any("multipart/report" in kind for kind in kinds)


def _lasting_id(name: str) -> str:
    """An id as others, and always the same for this name."""
    number = int.from_bytes(sha256(name.encode("utf-8", "surrogateescape")).digest())
    return "".join(ID_DIGITS[number // 36**place % 36] for place in range(16))
