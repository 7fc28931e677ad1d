"""`[smtp-client]`, `[smtp-client-NAME]`: one way out each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from emaild.settings import parse
from emaild.settings.by_token import TOKEN_MECHANISMS, token_mechanisms
from emaild.settings.dkim import SigningOptions
from emaild.settings.graph import check_graph
from emaild.settings.option import Family, SectionKind, option
from emaild.settings.properties import MimeProperties, SessionProperties, SmtpProperties
from emaild.settings.secret import Secret
from emaild.settings.sending import OFFICE_365, OFFICE_365_LIMIT, SendingOptions
from emaild.settings.server import SECURITY_HELP, Security, ServerOptions
from emaild.settings.transport import Transport, transport_of

SMTP_PORTS = (25, 465)


class ServerType(StrEnum):
    """The protocols that mail can go out over."""

    SMTP = "smtp"
    EWS = "ews"
    GRAPH = "graph"
    EML = "eml"


@dataclass(frozen=True, kw_only=True)
class WayOutSection(SendingOptions, SigningOptions, ServerOptions):
    """One way out: a server that takes our mail."""

    kind: ClassVar[SectionKind] = SectionKind(
        name="smtp-client",
        family=Family.NUMBERED,
        help="A way out: a server that takes our mail. The guide's [smtp] is the same as [smtp-client].",
    )

    described_first: ClassVar[tuple[str, ...]] = ("server_type", "server", "port_given", "security_given")

    smtp: SmtpProperties = SmtpProperties()
    mime: MimeProperties = MimeProperties()
    session: SessionProperties = SessionProperties()

    server_type: ServerType = option(
        parse.one_of(ServerType),
        default="smtp",
        help="The protocol of the server. ews is Exchange Web Services and needs the extra 'ews'; graph is Microsoft"
        " Graph; eml writes each mail as a file into eml-directory, for a person to open and send.",
    )
    security_given: Security = option(
        parse.one_of(Security),
        default="none",
        name="smtp-connection-security",
        in_effect="security",
        help=SECURITY_HELP.format(command="STARTTLS"),
    )
    enable_authentication: bool = option(parse.flag, default="false", help="Whether to sign in with user and password.")
    user: str = option(parse.text, default="", help="The name to sign in with.")
    password: Secret | None = option(parse.optional(parse.secret), default="", help="The password of user.")
    senders: tuple[str, ...] = option(
        parse.words,
        default="",
        help="The From addresses, or @domains, whose mail goes this way. Mail that no section claims goes by"
        " interactive-way-out or batch-way-out, where these are not set by [smtp-client], or by the first section where"
        " there is none of that name.",
    )
    queues: tuple[str, ...] = option(
        parse.names,
        default="",
        ours=True,
        help="The queues whose mail goes this way, whatever its sender: that in which a mail out lay, else that of the"
        " mail that it answers.",
    )
    callers: tuple[str, ...] = option(
        parse.words,
        default="",
        ours=True,
        help="Whose mail goes this way, whatever queue and sender: api-token-NAME, rule-NAME, command-line,"
        " or api-token for who uses the token of the state directory.",
    )
    sender_override: str = option(
        parse.text,
        default="",
        ours=True,
        help="The address that all mail by this way is from, whatever its From said; that one is in Reply-To then.",
    )
    cnx_pool_size: int = option(
        parse.number(1, 100), default="5", ours=True, help="How many connections at most are used at once."
    )
    cnx_check_idle_time: float = option(
        parse.within("0s", "1d"),
        default="00:00:30",
        help="A kept connection that was idle for longer is asked with NOOP before use. 00:00:00: each time.",
    )
    cnx_max_idle_time: float = option(
        parse.within("1s", "1d"),
        default="00:05:00",
        help="A connection that was idle for longer is closed; keep it below the server's own limit.",
    )
    pipelining: bool = option(
        parse.flag,
        default="true",
        ours=True,
        help="Whether commands go out without waiting for the answer to each, where the server says that it can"
        " (RFC 2920). false: for a server that says so and cannot.",
    )
    eml_directory: Path | None = option(
        parse.optional(parse.path),
        default="",
        ours=True,
        help="eml: the folder for the files. It must be there, and emaild allowed to write to it (under systemd:"
        " ReadWritePaths=).",
    )
    allow_delegate: bool = option(
        parse.flag,
        default="false",
        help="Graph: whether to send mail whose From is another address than user. Exchange must allow it: Send As, or"
        " Send on Behalf.",
    )
    save_sent_copy: bool = option(
        parse.flag,
        default="false",
        help="EWS: whether a copy of what is sent is kept in the mailbox's Sent Items; with it a"
        " mail is never sent twice. Graph always keeps one.",
    )
    token_expiry_margin_time: float = option(
        parse.within("0s", "1d"),
        default="00:05:00",
        ours=True,
        help="How long before its token expires a connection is closed.",
    )

    @property
    def protocol_name(self) -> str:
        """The protocol as the names of properties spell it."""
        return self.server_type.value

    @property
    def message_limit(self) -> int:
        """How many mails a minute go this way; 0: any number."""
        if self.message_limit_given is not None:
            return self.message_limit_given
        return OFFICE_365_LIMIT if self.is_office_365 else 0

    @property
    def is_office_365(self) -> bool:
        """Whether it is Exchange Online's SMTP, which has rules of its own."""
        return self.server.lower().rstrip(".") == OFFICE_365

    @property
    def uses_tokens(self) -> bool:
        """Whether a token signs in, and not the password."""
        if self.server_type is ServerType.EWS:
            return not {*TOKEN_MECHANISMS}.isdisjoint(self.session.ews_auth_mechanisms)
        if self.server_type is ServerType.GRAPH:
            return True
        return self.enable_authentication and bool(token_mechanisms(self.smtp))

    @property
    def transport(self) -> Transport:
        """How to connect: what the options and properties come to."""
        return transport_of(self.security_given, self.port_given, SMTP_PORTS, self.smtp)

    @property
    def security(self) -> Security:
        """How the connection is protected."""
        return self.transport.security

    @property
    def port(self) -> int:
        """The port to connect to: the one given, else the security's."""
        return self.transport.port

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        yield from self.check_server()
        if self.uses_tokens:
            yield from self.check_tokens(self.password)
        elif not token_mechanisms(self.smtp):
            yield from self.check_no_tokens()
        yield from self._check_type()
        yield from self.check_signing()
        if self.dkim_domain and self.server_type is not ServerType.SMTP:
            yield "dkim-domain", f"server-type is {self.server_type}, and only smtp can sign; leave it out"
        if self.enable_authentication and not self.user:
            yield "enable-authentication", "it needs user and password"
        elif self.user and self.password is None and not self.uses_tokens:
            yield "user", "it needs its partner, password"
        elif self.password is not None and not self.user:
            yield "password", "it needs its partner, user"
        if self.sender_override and not parse.is_address(self.sender_override):
            yield "sender-override", f"expected name@domain, found {parse.repeated(self.sender_override)}"
        if strange := [sender for sender in self.senders if "@" not in sender]:
            yield "senders", f"expected addresses or @domains, found {strange[0]!r}; @{strange[0]} would be right"
        if self.retry_maximum < self.retry_first:
            yield "retry-maximum", "it must not be shorter than retry-first"

    def _check_type(self) -> Iterator[tuple[str, str]]:
        if self.server_type is ServerType.EML:
            if self.server:
                yield "server", "server-type is eml, and a folder has no server; leave it out"
            return
        if self.server_type is ServerType.SMTP:
            if "://" in self.server:
                yield "server", "for smtp expected a host name or an IP address, found a URL"
            return
        if self.server_type is ServerType.EWS:
            yield from self.check_exchange(self.server, "server-type", self.server_type)
            needed = "user and password"
        else:
            yield from check_graph(self.server)
            needed = "user, the mailbox that sends"
        if not self.user:
            yield "server-type", f"{self.server_type} needs {needed}"

    @staticmethod
    def needs(values: Mapping[str, object]) -> tuple[str, ...]:
        """The fields that must be given, by what else is."""
        if values.get("server_type") is ServerType.EML:
            return ("eml_directory",)
        return () if values.get("server_type") is ServerType.GRAPH else ("server",)
