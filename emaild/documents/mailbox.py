"""How a mailbox fares, as programs see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from emaild.documents.times import iso
from emaild.store.mailboxes import MailboxStatus


def mailbox_json(status: MailboxStatus, show: Callable[[datetime | None], str | None] = iso) -> dict[str, str | None]:
    """One mailbox; *show* writes its times."""
    return {
        "name": status.name,
        "state": status.state,
        "last_poll": show(status.last_poll),
        "last_mail": show(status.last_mail),
        "last_error": status.last_error,
        "next_due": show(status.next_due),
    }
