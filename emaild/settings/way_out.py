"""`[smtp-client]`, `[smtp-client-NAME]`: one way out each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from emaild.settings import parse
from emaild.settings.mailbox import Security
from emaild.settings.option import SectionKind, option
from emaild.settings.secret import Secret


@dataclass(frozen=True, kw_only=True)
class WayOutSection:
    """One way out: a server that takes our mail."""

    kind: ClassVar[SectionKind] = SectionKind(
        name="smtp-client", family=True, help="A way out: a server that takes our mail, over SMTP."
    )

    name: str = ""

    server: str = option(parse.host, default=None, help="The name or address of the server.")
    port_given: int | None = option(
        parse.optional(parse.number(1, 65535)),
        default="",
        name="port",
        in_effect="port",
        help="The server's port. Left empty it follows the security: 25, with ssl-tls 465.",
    )
    security: Security = option(
        parse.one_of(Security),
        default="none",
        name="smtp-connection-security",
        help="none: no encryption. ssl-tls: TLS from the first byte. start-tls: STARTTLS before the sign-in,"
        " which fails where the server does not offer it.",
    )
    ca_file: Path | None = option(
        parse.optional(parse.path),
        default="",
        help="A file of CA certificates (PEM) to trust instead of the system's.",
    )
    enable_client: bool = option(
        parse.flag, default="true", help="Whether mail goes out this way. false keeps its mails waiting."
    )
    enable_authentication: bool = option(parse.flag, default="false", help="Whether to sign in with user and password.")
    user: str = option(parse.text, default="", help="The name to sign in with.")
    password: Secret | None = option(parse.optional(parse.secret), default="", help="The password of user.")
    senders: tuple[str, ...] = option(
        parse.words,
        default="",
        help="The From addresses, or @domains, whose mail goes this way. Mail that no section claims goes by"
        " [smtp-client], or by the first section where there is none of that name.",
    )
    connect_timeout: float = option(
        parse.within("1s", "10m"), default="00:00:30", help="How long to wait for a connection."
    )
    protocol_timeout: float = option(
        parse.within("1s", "1h"),
        default="00:05:00",
        help="How long the server may be silent before the connection is given up"
        " (RFC 5321 §4.5.3.2 asks for five minutes).",
    )
    cnx_pool_size: int = option(
        parse.number(1, 100), default="5", help="How many connections at most are used at once."
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
    retry_first: float = option(
        parse.within("1s", "1d"),
        default="1m",
        help="How long to wait after the first temporary failure of a mail; each further wait is twice as long.",
    )
    retry_maximum: float = option(
        parse.within("1s", "7d"), default="1h", help="The longest wait between two tries of a mail."
    )
    message_lifetime: float = option(
        parse.within("1s", "365d"),
        default="5d",
        help="How long a mail is tried before it is given up as expired (RFC 5321 §4.5.4.1 asks for 4 to 5 days).",
    )

    @property
    def port(self) -> int:
        """The port to connect to: the one given, else the security's."""
        return self.port_given or (465 if self.security is Security.SSL_TLS else 25)

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        if self.enable_authentication and not self.user:
            yield "enable-authentication", "it needs user and password"
        elif self.user and self.password is None:
            yield "user", "it needs its partner, password"
        if self.retry_maximum < self.retry_first:
            yield "retry-maximum", "it must not be shorter than retry-first"


def way_out_for(sender: str, ways_out: tuple[WayOutSection, ...]) -> WayOutSection:
    """The way that a mail from this address takes; *ways_out* is in the order of the conf files and not empty."""
    address = sender.lower()
    domain = "@" + address.rpartition("@")[2]
    for way in ways_out:
        if {address, domain} & {claimed.lower() for claimed in way.senders}:
            return way
    plain = [way for way in ways_out if way.name.lower() == "smtp-client"]
    return (plain or list(ways_out))[0]
