"""`[pop-client]`, `[pop-client1]`, `[pop-client-NAME]`: one mailbox each, whatever its protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from emaild.settings import parse
from emaild.settings.by_token import TOKEN_MECHANISMS, needs_password, token_mechanisms
from emaild.settings.graph import check_graph
from emaild.settings.option import Family, SectionKind, option
from emaild.settings.properties import (
    ImapProperties,
    MimeProperties,
    Pop3Properties,
    ProtocolProperties,
    SessionProperties,
)
from emaild.settings.secret import Secret
from emaild.settings.server import SECURITY_HELP, Security, ServerOptions
from emaild.settings.transport import Transport, transport_of

GOOGLES = ("imap.gmail.com", "imap.googlemail.com")
MOST_AT_GOOGLE = 15  # Gmail Help, "Add Gmail to another email client"
UNAWAITED = 10  # times maximum-msg-number are taken in a turn that nobody waits for: each turn lists the mailbox anew


class MailboxType(StrEnum):
    """The protocols that a mailbox can be read over."""

    POP3 = "POP3"
    IMAP = "IMAP"
    EWS = "EWS"
    GRAPH = "GRAPH"


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


WEB = (MailboxType.EWS, MailboxType.GRAPH)
MAILBOX_PORTS = {
    (MailboxType.POP3, False): 110,
    (MailboxType.POP3, True): 995,
    (MailboxType.IMAP, False): 143,
    (MailboxType.IMAP, True): 993,
}


@dataclass(frozen=True, kw_only=True)
class MailboxSection(ServerOptions):
    """One mailbox to read."""

    kind: ClassVar[SectionKind] = SectionKind(
        name="pop-client",
        family=Family.NUMBERED,
        help="A mailbox to read, over POP3, IMAP, EWS or Microsoft Graph. One section a mailbox.",
    )

    described_first: ClassVar[tuple[str, ...]] = (
        "type",
        "server",
        "port_given",
        "security_given",
        "mailbox",
        "password",
    )

    pop3: Pop3Properties = Pop3Properties()
    imap: ImapProperties = ImapProperties()
    mime: MimeProperties = MimeProperties()
    session: SessionProperties = SessionProperties()

    type: MailboxType = option(
        parse.one_of(MailboxType),
        default="POP3",
        help="The protocol of the mailbox. EWS is Exchange Web Services and needs the extra 'ews'; GRAPH is Microsoft"
        " Graph.",
    )
    security_given: Security | None = option(
        parse.optional(parse.one_of(Security)),
        default="",
        name="pop-connection-security",
        in_effect="security",
        help=SECURITY_HELP.format(command="STARTTLS or STLS") + " Empty: none, or as enable-ssl says.",
    )
    enable_ssl: bool = option(
        parse.flag,
        default="false",
        help="TLS from the first byte. pop-connection-security has taken its place, and comes first.",
    )
    mailbox: str = option(parse.login, default=None, help="The name to sign in with.")
    password: Secret = option(
        parse.secret,
        default="",
        help="The password of that name. Where a token signs in it is what grant-type says, and may be left out.",
    )
    address: str = option(
        parse.text,
        default="",
        help="The mailbox's own address. Empty: the name to sign in with, where that is an address.",
    )
    cycle_time: float = option(
        parse.zero_or(parse.within("1s", "1d")),
        default="00:00:30",
        help="The pause between two looks into the mailbox. With IMAP IDLE the server tells of new mail at once. 0: it"
        " is looked into only where 'emaild fetch' asks for it.",
    )
    folder_path: str = option(
        parse.text,
        default="INBOX",
        in_effect="folder",
        help="IMAP, EWS, Graph: the folder to read, its levels separated by folder-separator. IMAP: \\All and the like"
        " (RFC 6154 §2) mean the folder that has this use, whatever it is called.",
    )
    folder_separator: str = option(
        parse.text, default="/", help="What separates the levels in folder-path and after-fetch-folder."
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
        " read (not POP3). all. new: none of them, only later ones. automatic: new for POP3, unseen for all others.",
    )
    begin_date: datetime | None = option(
        parse.optional(parse.day),
        default="",
        help="Mails that reached the mailbox before this day (UTC) are not taken.",
    )
    download_days: int | None = option(
        parse.optional(parse.number(1, 36_500)),
        default="",
        help="Mails that reached the mailbox longer than so many days ago are not taken, at any look; a day begins at"
        " midnight UTC. With begin-date the later of the two counts. Empty: however old they are.",
    )
    after_fetch: AfterFetch = option(
        parse.one_of(AfterFetch),
        default="automatic",
        in_effect="after",
        help="What becomes of a mail on the server once it is safely stored: leave, seen (not POP3), move to"
        " after-fetch-folder (not POP3) or delete. automatic: leave for POP3, seen for all others.",
    )
    after_fetch_folder: str = option(
        parse.text,
        default="",
        help="Where after-fetch = move puts the mails; made where it is missing. IMAP: \\Trash and the like, as in"
        " folder-path.",
    )
    maximum_msg_number: int = option(
        parse.number(1, 100_000),
        default="100",
        help="How many mails are taken in one turn; the rest follow in the next, after other mailboxes had theirs."
        f" Where none of them waits a turn takes {UNAWAITED} times as many.",
    )
    maximum_msg_size: int = option(
        parse.size("m"),
        default="50M",
        ours=True,
        help="The largest mail, attachments included, that is taken; 0: any. Of a larger one the header is taken; it is"
        " left on the server and told of, until this is raised.",
    )
    delete_big_msg: bool = option(
        parse.flag,
        default="false",
        ours=True,
        help="Whether a mail above maximum-msg-size is deleted on the server. Those left before stay.",
    )
    notify_big_msg_sender: bool = option(
        parse.flag,
        default="false",
        ours=True,
        help="Whether the sender of a mail above maximum-msg-size is told that it was not taken whole. It needs the"
        " mailbox's address and a way out.",
    )
    enable_big_msg_stripping: bool = option(
        parse.flag,
        default="false",
        ours=True,
        help="Whether a mail above maximum-msg-size is taken, for good, without its attachments.",
    )
    maximum_attachment_size: int | None = option(
        parse.optional(parse.size("m")),
        default="",
        help="IMAP: attachments larger than this stay on the server; the rest of the mail is taken, for good, with a"
        " line in the place of each. after-fetch = delete leaves such a mail there. Empty or 0: any.",
    )
    retrieve_limit: int | None = option(
        parse.optional(parse.size("")),
        default="",
        help="Of a larger mail only its beginning of that size is taken, for good; the header always whole."
        " after-fetch = delete leaves such a mail there. It comes before maximum-msg-size. Empty or 0: all is taken.",
    )
    allow_bad_msg_size: bool = option(
        parse.flag,
        default="true",
        ours=True,
        help="Whether a mail is taken whose size is another than the server said; false: it is left and told of.",
    )
    delete_bad_formatted_msg: bool = option(
        parse.flag,
        default="false",
        ours=True,
        help="Whether a mail that cannot be read is deleted on the server once its wrapping message is stored.",
    )
    connections_per_account: int | None = option(
        parse.optional(parse.number(0, 1000)),
        default="",
        ours=True,
        in_effect="most_connections",
        help="IMAP: how many connections all sections of one user at one server have together; where there are more"
        " sections they take turns, and not all can use IDLE. 0: any number. Empty: 15 at Google, else any number.",
    )
    failed_items_folder_name: str = option(
        parse.text,
        default="",
        ours=True,
        help="EWS, Graph: the folder for mails that the server will not give; made where it is missing. For Graph"
        " naming it is enough; EWS needs move-failed-ews-item, too.",
    )
    move_failed_ews_item: bool = option(
        parse.flag,
        default="false",
        ours=True,
        help="EWS: whether a mail that could not be taken is moved to failed-items-folder-name.",
    )
    copy_message_to_recipients: bool = option(
        parse.flag,
        default="false",
        help="Whether each recipient in To and Cc gets an interaction of its own. It switches enable-message-id-check"
        " off for this mailbox.",
    )
    copy_message_with_header: str = option(
        parse.header_name,
        default="X-Genesys-To",
        help="The header that names the recipient in each of these copies.",
    )
    inbound_msg_copy_limit: int = option(
        parse.number(1, 50),
        default="10",
        help="How many of these copies a mail may make.",
    )
    endpoint: str = option(
        parse.text,
        default="",
        help="An endpoint of an [endpoints:NAME] section, or the name of a queue: where its interactions go. Empty:"
        " default-inbound-queue.",
    )

    @property
    def protocol(self) -> ProtocolProperties:
        """The properties of the section's own protocol."""
        return self.imap if self.type is MailboxType.IMAP else self.pop3

    @property
    def protocol_name(self) -> str:
        """The protocol as the names of properties spell it."""
        return self.type.value.lower()

    @property
    def uses_tokens(self) -> bool:
        """Whether a token signs in, and not the password."""
        if self.type is MailboxType.EWS:
            return not {*TOKEN_MECHANISMS}.isdisjoint(self.session.ews_auth_mechanisms)
        return self.type is MailboxType.GRAPH or bool(token_mechanisms(self.protocol))

    @property
    def transport(self) -> Transport:
        """How to connect: what the options and properties come to."""
        ports = MAILBOX_PORTS.get((self.type, False), 80), MAILBOX_PORTS.get((self.type, True), 443)
        given = Security.SSL_TLS if self.security_given is None and self.enable_ssl else self.security_given
        return transport_of(given, self.port_given, ports, self.protocol)

    @property
    def security(self) -> Security:
        """How the connection is protected."""
        return self.transport.security

    @property
    def port(self) -> int:
        """The port to connect to: the one given, else the protocol's."""
        return self.transport.port

    @property
    def most_connections(self) -> int | None:
        """How many connections its account has at once; None: any number."""
        if self.connections_per_account is not None:
            return self.connections_per_account or None
        return MOST_AT_GOOGLE if self.server.lower().endswith(GOOGLES) else None

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
        if self.type is MailboxType.GRAPH:
            return f"graph:{self.mailbox.lower()}/{self.folder}"  # whichever address of Graph leads there
        place = "" if self.type is MailboxType.POP3 else f"/{self.folder}"
        return f"{self.type.value.lower()}:{self.mailbox}@{self.server.lower()}{place}"

    @property
    def after(self) -> AfterFetch:
        """What to do after a fetch, `automatic` resolved."""
        if self.after_fetch is not AfterFetch.AUTOMATIC:
            return self.after_fetch
        return AfterFetch.LEAVE if self.type is MailboxType.POP3 else AfterFetch.SEEN

    @property
    def first(self) -> FirstFetch:
        """What to take at the first contact, `automatic` resolved."""
        if self.first_fetch is not FirstFetch.AUTOMATIC:
            return self.first_fetch
        return FirstFetch.NEW if self.type is MailboxType.POP3 else FirstFetch.UNSEEN

    @property
    def by_hand(self) -> bool:
        """Whether it is looked into only where somebody asks for it."""
        return not self.cycle_time

    def begin(self, now: datetime) -> datetime | None:
        """What reached the mailbox earlier is not taken; None: there is no such time."""
        if self.download_days is None:
            return self.begin_date
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        since = today - timedelta(days=self.download_days)
        return max(since, self.begin_date or since)

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        yield from self.check_server()
        yield from self._check_type()
        if self.uses_tokens:
            yield from self.check_tokens(self.password)
        else:
            wrong = tuple(self.check_no_tokens())
            yield from wrong
            if not wrong and self.password == Secret("") and self.password.literal:
                yield "password", "it is missing; only where a token signs in may it be left out"
        if self.enable_ssl and self.security_given in (Security.NONE, Security.START_TLS):
            yield "enable-ssl", f"it contradicts pop-connection-security = {self.security_given}; leave enable-ssl out"
        yield from self._check_folders()
        if self.maximum_attachment_size and self.type is not MailboxType.IMAP:
            yield "maximum-attachment-size", f"{self.type} cannot leave parts of a mail; only IMAP can, so leave it out"
        if self.type is MailboxType.POP3:
            if self.after in (AfterFetch.SEEN, AfterFetch.MOVE):
                yield "after-fetch", f"POP3 cannot do '{self.after}'; leave or delete would be right"
            if self.first is FirstFetch.UNSEEN:
                yield "first-fetch", "POP3 does not know what was seen; all or new would be right"

    def _check_folders(self) -> Iterator[tuple[str, str]]:
        if self.after is AfterFetch.MOVE and not self.after_fetch_folder:
            yield "after-fetch", "move needs after-fetch-folder, the folder to move to"
        if self.after is AfterFetch.MOVE and self.after_fetch_folder == self.folder:
            yield "after-fetch-folder", "the folder to move to must be another than folder-path"
        if self.failed_items_folder_name and self.failed_items_folder_name.lower() == self.folder.lower():
            yield "failed-items-folder-name", "the folder must be another than folder-path"
        if len(self.folder_separator) != 1:
            yield "folder-separator", f"expected one character, found {parse.repeated(self.folder_separator)}"

    def _check_type(self) -> Iterator[tuple[str, str]]:
        if self.type is MailboxType.EWS:
            yield from self.check_exchange(self.server, "type", self.type)
            if self.move_failed_ews_item and not self.failed_items_folder_name:
                yield "move-failed-ews-item", "it needs its partner, failed-items-folder-name"
        elif self.type is MailboxType.GRAPH:
            yield from check_graph(self.server)
        elif self.type not in WEB and "://" in self.server:
            yield "server", f"for {self.type} expected a host name or an IP address, found a URL"

    @staticmethod
    def needs(values: Mapping[str, object]) -> tuple[str, ...]:
        """The fields that must be given, by what else is."""
        server = () if values.get("type") is MailboxType.GRAPH else ("server",)
        return (*server, "password") if needs_password(values) else server
