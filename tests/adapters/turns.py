"""Mailboxes used as the daemon's jobs use them: a section, the adapter that serves it, and whole turns."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

from emaild.jobs.adapters import source_for
from emaild.message import Inbound
from emaild.settings.mailbox import MailboxSection, MailboxType
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.sources import Listing, Source
from tests.servers.authority import Authority
from tests.servers.dovecot import PASSWORD


def section(kind: MailboxType, port: int, user: str, **given: Any) -> MailboxSection:
    """A section as the conf file would make it, with short timeouts; *given* are its fields."""
    fields: dict[str, Any] = {
        "server": "localhost",
        "password": Secret(PASSWORD),
        "connect_timeout": 5.0,
        "protocol_timeout": 5.0,
    }
    return MailboxSection(name=f"pop-client-{user}", type=kind, port_given=port, mailbox=user, **(fields | given))


class Sources(ExitStack):
    """Makes sources, over TLS with *authority* unless a test says otherwise, and closes them at its end."""

    def __init__(self, kind: MailboxType, port: int, authority: Authority) -> None:
        super().__init__()
        self._kind, self._port = kind, port
        self._fields = {"security_given": Security.SSL_TLS, "ca_file": authority.ca_file}

    def __call__(self, user: str, *, port: int = 0, **given: Any) -> Source:
        """The source of a user's mailbox; *given* are fields of its section."""
        made = section(self._kind, port or self._port, user, **(self._fields | given))
        return self.enter_context(closing(source_for(made)))


@dataclass(frozen=True)
class Turn:
    """What one turn saw and took."""

    listing: Listing
    mails: tuple[Inbound, ...]

    @property
    def cursor(self) -> str:
        """What the next turn is to be given."""
        return self.listing.cursor_when_done

    @property
    def raws(self) -> list[bytes]:
        """The bytes of what was taken."""
        return [mail.raw for mail in self.mails]


def turn(source: Source, cursor: str | None = None, *, known: Sequence[str] = ()) -> Turn:
    """One turn as the job makes it: all that is not *known* is taken and acknowledged batch by batch."""
    source.open()
    listing = source.look(cursor)
    mails: list[Inbound] = []
    for batch in source.fetch([key for key in listing.keys if key not in known]):
        mails += batch
        source.acknowledge([mail.key for mail in batch])
    source.finish()
    return Turn(listing, tuple(mails))


def mail(subject: str, *lines: str) -> bytes:
    """A small mail."""
    return "\r\n".join(
        [f"Subject: {subject}", "From: a@example.com", "", *(lines or (f"This is {subject}.",)), ""]
    ).encode()


def subjects(raws: Sequence[bytes]) -> list[str]:
    """The subjects of small mails, to name them by."""
    lines = [line for raw in raws for line in raw.split(b"\r\n") if line.startswith(b"Subject: ")]
    return [line.removeprefix(b"Subject: ").decode() for line in lines]
