"""Mails in and out, made in one line."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta

from emaild.message import (
    Delivery,
    Facts,
    Inbound,
    Interaction,
    Outbound,
    OutboundState,
    Receipt,
    RecipientState,
    Understood,
    new_id,
)
from emaild.mime.view import facts
from emaild.store import Store
from emaild.store.leases import Leased
from emaild.store.outbox_entries import Choice, OutboxEntry
from emaild.store.raw import digest
from emaild.store.tries import Tried, Unsent
from tests.clock import START

_numbers = itertools.count(1)


def mail(subject: str = "Hello", text: str = "How are you?") -> bytes:
    """A plain mail."""
    return (
        f"From: Ann <ann@example.com>\r\nTo: support@example.com\r\nSubject: {subject}\r\n"
        f"Message-ID: <{subject.replace(' ', '.')}@example.com>\r\nDate: Mon, 02 Mar 2026 09:30:00 +0000\r\n"
        f"\r\n{text}\r\n"
    ).encode()


def taken(
    key: str, raw: bytes | None = None, *, received: datetime = START, mailbox: str = "pop-client"
) -> tuple[Inbound, Interaction]:
    """A mail as it was fetched, and the interaction that it becomes. Without *raw* it is like no other."""
    body = raw if raw is not None else mail(f"Mail {key} {next(_numbers)}")
    name = new_id(received)
    said: Facts = facts(body)
    return Inbound(key=key, raw=body), Interaction(
        id=name,
        type="Inbound",
        subtype="InboundNew",
        mailbox=mailbox,
        received=received,
        queue="inbound",
        thread_id=name,
        raw_digest=digest(body),
        facts=said,
    )


def kept(
    store: Store,
    account: str,
    mails: Iterable[tuple[Inbound, Interaction]],
    *,
    settled: bool = True,
    submitted: bool = True,
) -> frozenset[str]:
    """`Interactions.keep` for mails that become one interaction each."""
    entries = [(inbound, Understood(interactions=(entry,), digest=entry.raw_digest)) for inbound, entry in mails]
    return store.interactions.keep(account, entries, settled=settled, submitted=submitted)


def outbound(
    *recipients: str, way_out: str = "smtp-client", raw: bytes | None = None, interactive: bool = False
) -> Outbound:
    """A mail to be sent."""
    number = next(_numbers)
    return Outbound(
        id=new_id(START + timedelta(milliseconds=number)),  # mails of one moment go out in the order of their ids
        way_out=way_out,
        sender="support@example.com",
        recipients=recipients or ("ann@example.com",),
        message_id=f"<{number}@example.com>",
        raw=raw if raw is not None else mail(f"Answer {number}"),
        interactive=interactive,
    )


def receipt(address: str, code: int, text: str = "") -> Receipt:
    """What a server answered: 2xx is done, 5xx is for good, all else may be tried again."""
    states = {2: RecipientState.SENT, 5: RecipientState.FAILED}
    return Receipt(
        address=address, state=states.get(code // 100, RecipientState.WAITING), code=str(code), text=text or "so be it"
    )


def in_outbox(store: Store) -> list[OutboxEntry]:
    """What is in the outbox, the newest first."""
    return list(store.outbox.newest(Choice(done=False)))


def in_history(store: Store) -> list[OutboxEntry]:
    """What is in the history, the newest first."""
    return list(store.outbox.newest(Choice(done=True)))


def leased(
    store: Store, at: datetime = START, *, way_out: str = "smtp-client", seconds: float = 60, most: int = 1
) -> list[Leased]:
    """The mails that are due then, ours for so long."""
    return store.sending.lease(way_out, at, at + timedelta(seconds=seconds), most=most)


def lease_of(store: Store, mail: Outbound, at: datetime = START) -> Leased:
    """That mail alone; the others that were due before it stay leased."""
    while True:
        (found,) = leased(store, at, way_out=mail.way_out)
        if found.mail.id == mail.id:
            return found


def tried(leased: Leased, *codes: int, at: datetime = START, retry_at: datetime | None = None, text: str = "") -> Tried:
    """A try: what was answered for each recipient, as `receipt` says."""
    answers = zip(leased.mail.recipients, codes, strict=True)
    delivery = Delivery(receipts=tuple(receipt(address, code, text) for address, code in answers))
    return Tried(leased=leased, at=at, seconds=0.5, delivery=delivery, retry_at=retry_at)


def answered(
    store: Store, leased: Leased, *codes: int, at: datetime = START, retry_at: datetime | None = None, text: str = ""
) -> OutboundState:
    """A try, recorded; the state that the mail has then."""
    (state,) = store.sending.record([tried(leased, *codes, at=at, retry_at=retry_at, text=text)], at)
    return state


def unsent(
    leased: Leased, why: str = "connect: refused", *, at: datetime = START, retry_at: datetime = START
) -> Unsent:
    """A try whose way failed."""
    return Unsent(leased=leased, at=at, seconds=0.5, why=why, retry_at=retry_at)
