"""Mails in and out of a real store, understood as the daemon does it: no server, no job, no conf file."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from emaild.jobs.outgoing import outgoing
from emaild.jobs.understand import Understanding, own_addresses, tell
from emaild.message import Inbound, Interaction, Outbound, Understood
from emaild.render.compose import Draft, compose
from emaild.settings.mailbox import MailboxSection
from emaild.settings.processing import ProcessingSection
from emaild.settings.secret import Secret
from emaild.settings.way_out import WayOutSection
from emaild.store import Store
from tests.clock import START

_numbers = itertools.count(1)


def letter(
    subject: str = "Hello",
    *,
    sender: str = "Ann <ann@example.com>",
    to: str = "support@shop.example",
    text: str = "How are you?",
    message_id: str | None = "",
    **fields: str,
) -> bytes:
    """A mail like no other. *fields* are further ones: `in_reply_to` is In-Reply-To. No Message-ID where it is None."""
    name = f"<{next(_numbers)}@example.com>" if message_id == "" else message_id
    header = {"From": sender, "To": to, "Subject": subject} | ({"Message-ID": name} if name else {})
    header |= {key.replace("_", "-").title(): value for key, value in fields.items()}
    lines = [f"{key}: {value}\r\n" for key, value in header.items() if value]
    return "".join([*lines, "\r\n", text, "\r\n"]).encode()


class Desk:
    """One mailbox, support@shop.example, with the options *box* and *processing*; and what goes out from there."""

    def __init__(
        self, store: Store, *, name: str = "pop-client", box: dict[str, Any] | None = None, **processing: Any
    ) -> None:
        self.store = store
        given: dict[str, Any] = {"mailbox": "support@shop.example", "server": "mail.example"} | (box or {})
        self.section = MailboxSection(name=name, password=Secret(""), **given)
        self.processing = ProcessingSection(**processing)
        self.understanding = Understanding(
            self.section,
            store.known,
            processing=lambda: self.processing,
            own_addresses=lambda: own_addresses([self.section]),
            queue=lambda: "inbound",
        )

    def understand(self, *raws: bytes, at: datetime = START) -> list[tuple[Inbound, Understood]]:
        """What these mails become that are to be stored in one commit."""
        batch = self.understanding.batch()
        mails = [Inbound(key=str(next(_numbers)), raw=raw) for raw in raws]
        return [(read.inbound, batch.become(read, at)) for read in [batch.read(mail) for mail in mails]]

    def keep(self, looked: Sequence[tuple[Inbound, Understood]]) -> frozenset[str]:
        """Store them, and tell."""
        again = self.store.interactions.keep(self.section.account, looked, settled=True)
        for mail, understood in looked:
            tell(self.section.name, mail, understood)
        return again

    def take(self, *raws: bytes, at: datetime = START) -> list[Interaction]:
        """Take a batch in; what became of it, as the store has it."""
        looked = self.understand(*raws, at=at)
        self.keep(looked)
        return [self.store.interactions.get(entry.id) for _, understood in looked for entry in understood.interactions]

    def one(self, raw: bytes, at: datetime = START) -> Interaction:
        """The only interaction of a mail."""
        (entry,) = self.take(raw, at=at)
        return entry

    def send(
        self,
        to: str = "ann@example.com",
        subject: str = "Answer",
        *,
        at: datetime = START,
        sender: str = "support@shop.example",
        **fields: str,
    ) -> Outbound:
        """A mail out, in the outbox."""
        headers = tuple((name.replace("_", "-").title(), value) for name, value in fields.items())
        draft = Draft(sender=sender, to=(to,), subject=subject, text="Dear", headers=headers)
        way = WayOutSection(name="smtp-client", server="localhost")
        sent = outgoing(compose(draft, now=at, domain=""), way, self.processing, at)
        self.store.outbox.add(sent, at)
        return sent

    def thread_of(self, sent: Outbound) -> str:
        """The thread of a mail out."""
        return self.store.known.by_id([sent.id])[sent.id].thread_id
