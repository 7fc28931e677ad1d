"""`[pop-client]`, `[pop-client1]`, `[pop-client-NAME]`: one mailbox each, whatever its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from emaild.settings import parse
from emaild.settings.option import SectionKind, option
from emaild.settings.secret import Secret


class MailboxType(StrEnum):
    """The protocols that a mailbox can be read over."""

    POP3 = "POP3"
    IMAP = "IMAP"


class Security(StrEnum):
    """How a connection is protected."""

    NONE = "none"
    SSL_TLS = "ssl-tls"
    START_TLS = "start-tls"


class AfterFetch(StrEnum):
    """What becomes of a mail on its server once it is in the store."""

    AUTOMATIC = "automatic"
    LEAVE = "leave"
    SEEN = "seen"
    MOVE = "move"
    DELETE = "delete"


class FirstFetch(StrEnum):
    """Which mails are taken that lie in a mailbox when it is read for the first time."""

    AUTOMATIC = "automatic"
    UNSEEN = "unseen"
    ALL = "all"
    NEW = "new"


MAILBOX_PORTS = {
    (MailboxType.POP3, False): 110,
    (MailboxType.POP3, True): 995,
    (MailboxType.IMAP, False): 143,
    (MailboxType.IMAP, True): 993,
}


@dataclass(frozen=True, kw_only=True)
class MailboxSection:
    """One mailbox to read."""

    kind: ClassVar[SectionKind] = SectionKind(
        name="pop-client", family=True, help="A mailbox to read, over POP3 or IMAP. One section a mailbox."
    )

    name: str = ""

    type: MailboxType = option(parse.one_of(MailboxType), default="POP3", help="The protocol of the mailbox.")
    server: str = option(parse.host, default=None, help="The name or address of the mail server.")
    port_given: int | None = option(
        parse.optional(parse.number(1, 65535)),
        default="",
        name="port",
        in_effect="port",
        help="The server's port. Left empty it follows type and security: POP3 110 or 995, IMAP 143 or 993.",
    )
    security: Security = option(
        parse.one_of(Security),
        default="none",
        name="pop-connection-security",
        help="none: no encryption. ssl-tls: TLS from the first byte. start-tls: STARTTLS or STLS before the"
        " sign-in, which fails where the server does not offer it.",
    )
    ca_file: Path | None = option(
        parse.optional(parse.path),
        default="",
        help="A file of CA certificates (PEM) to trust instead of the system's.",
    )
    mailbox: str = option(parse.text, default=None, help="The name to sign in with.")
    password: Secret = option(parse.secret, default=None, help="The password of that name.")
    enable_client: bool = option(
        parse.flag, default="true", help="Whether this mailbox is read. false keeps the section and rests it."
    )
    cycle_time: float = option(
        parse.within("1s", "1d"),
        default="00:00:30",
        help="The pause between two looks into the mailbox. With IMAP IDLE the server tells of new mail at once.",
    )
    connect_timeout: float = option(
        parse.within("1s", "10m"), default="00:00:30", help="How long to wait for a connection."
    )
    protocol_timeout: float = option(
        parse.within("1s", "1h"),
        default="00:05:00",
        help="How long the server may be silent before the connection is given up.",
    )
    folder_path: str = option(
        parse.text,
        default="INBOX",
        in_effect="folder",
        help="IMAP: the folder to read, its levels separated by folder-separator.",
    )
    folder_separator: str = option(
        parse.text, default="/", help="IMAP: what separates the levels in folder-path and after-fetch-folder."
    )
    idle: bool = option(
        parse.flag,
        default="true",
        help="IMAP: hold an IDLE connection (RFC 2177), so that new mail is taken at once, where the server can.",
    )
    idle_renewal: float = option(
        parse.within("10s", "29m"),
        default="5m",
        help="IMAP: how long one IDLE lasts before the folder is looked at and IDLE renewed. Servers may end it"
        " after 29m (RFC 2177 §3); routers forget a silent connection earlier.",
    )
    first_fetch: FirstFetch = option(
        parse.one_of(FirstFetch),
        default="automatic",
        in_effect="first",
        help="Which mails are taken that lie in the mailbox at its first reading. unseen: those not marked as"
        " read (IMAP only). all. new: none of them, only later ones. automatic: unseen for IMAP, new for POP3.",
    )
    begin_date: datetime | None = option(
        parse.optional(parse.day),
        default="",
        help="Mails that reached the mailbox before this day (UTC) are not taken.",
    )
    after_fetch: AfterFetch = option(
        parse.one_of(AfterFetch),
        default="automatic",
        in_effect="after",
        help="What becomes of a mail on the server once it is safely stored: leave, seen (IMAP), move to"
        " after-fetch-folder (IMAP) or delete. automatic: seen for IMAP, leave for POP3.",
    )
    after_fetch_folder: str = option(
        parse.text,
        default="",
        help="IMAP: where after-fetch = move puts the mails; made where it is missing.",
    )
    maximum_msg_number: int = option(
        parse.number(1, 100_000),
        default="100",
        help="How many mails are taken in one turn; the rest follow in the next, after other mailboxes had theirs.",
    )
    endpoint: str = option(parse.text, default="", help="The queue of its interactions. Empty: default-inbound-queue.")

    @property
    def port(self) -> int:
        """The port to connect to: the one given, else the protocol's."""
        return self.port_given or MAILBOX_PORTS[self.type, self.security is Security.SSL_TLS]

    @property
    def folder(self) -> str:
        """The folder to read, INBOX where none is named."""
        return self.folder_path or "INBOX"

    @property
    def account(self) -> str:
        """What is read, whatever the section is called and whichever port leads there.

        What was fetched is remembered under this name, so that renaming a section or moving from port 143 to 993
        fetches nothing twice and skips nothing.
        """
        place = f"/{self.folder}" if self.type is MailboxType.IMAP else ""
        return f"{self.type.value.lower()}:{self.mailbox}@{self.server.lower()}{place}"

    @property
    def after(self) -> AfterFetch:
        """What to do after a fetch, `automatic` resolved."""
        if self.after_fetch is not AfterFetch.AUTOMATIC:
            return self.after_fetch
        return AfterFetch.SEEN if self.type is MailboxType.IMAP else AfterFetch.LEAVE

    @property
    def first(self) -> FirstFetch:
        """What to take at the first contact, `automatic` resolved."""
        if self.first_fetch is not FirstFetch.AUTOMATIC:
            return self.first_fetch
        return FirstFetch.UNSEEN if self.type is MailboxType.IMAP else FirstFetch.NEW

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        if self.after is AfterFetch.MOVE and not self.after_fetch_folder:
            yield "after-fetch", "move needs after-fetch-folder, the folder to move to"
        if self.after is AfterFetch.MOVE and self.after_fetch_folder == self.folder:
            yield "after-fetch-folder", "the folder to move to must be another than folder-path"
        if self.type is MailboxType.POP3:
            if self.after in (AfterFetch.SEEN, AfterFetch.MOVE):
                yield "after-fetch", f"POP3 cannot do '{self.after}'; leave or delete would be right"
            if self.first is FirstFetch.UNSEEN:
                yield "first-fetch", "POP3 does not know what was seen; all or new would be right"
        if len(self.folder_separator) != 1:
            yield "folder-separator", "expected one character"
