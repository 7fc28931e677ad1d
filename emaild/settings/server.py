"""What the sections of mailboxes and of ways out have in common: how the server is reached and trusted."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from emaild.settings import parse
from emaild.settings.by_token import TokenOptions
from emaild.settings.ews import ExchangeOptions
from emaild.settings.option import option
from emaild.settings.secret import Secret


class Security(StrEnum):
    """How a connection is protected."""

    NONE = "none"
    SSL_TLS = "ssl-tls"
    START_TLS = "start-tls"
    AUTOMATIC = "automatic"
    ENCRYPTED = "encrypted"


class TlsVersion(StrEnum):
    """Versions of TLS, as they are written in conf files."""

    TLS_1_0 = "1.0"
    TLS_1_1 = "1.1"
    TLS_1_2 = "1.2"
    TLS_1_3 = "1.3"


SECURITY_HELP = (
    "none: no encryption. ssl-tls: TLS from the first byte. start-tls: {command} before the sign-in, which fails"
    " where the server does not offer it. automatic: TLS from the first byte; where that fails another connection"
    " with {command}; where that is not offered either none, but never where encryption is required"
    " (see allow-plaintext-auth). encrypted: as automatic, but never without encryption."
)


@dataclass(frozen=True, kw_only=True)
class ServerOptions(ExchangeOptions, TokenOptions):
    """The options that every section with a server has."""

    name: str = ""

    enable_client: bool = option(
        parse.flag,
        default="true",
        ours=True,
        help="Whether this section works. false keeps it and rests it; mails for a way out wait.",
    )
    server: str = option(
        parse.optional_text(parse.server),
        default="",
        help="The name or address of the server; for EWS the URL of its Exchange.asmx. For Graph nothing, or the URL of"
        " a Graph other than the one that belongs to tenant-authority.",
    )
    port_given: int | None = option(
        parse.optional(parse.number(1, 65535)),
        default="",
        name="port",
        in_effect="port",
        help="The server's port. Left empty it follows type and security: POP3 110 or 995, IMAP 143 or 993, SMTP 25"
        " or 465.",
    )
    ca_file: Path | None = option(
        parse.optional(parse.file),
        default="",
        help="A file of CA certificates (PEM) to trust instead of the system's.",
    )
    client_certificate: Path | None = option(
        parse.optional(parse.file),
        default="",
        help="A file with the certificate (PEM) that emaild shows to the server, its chain after it.",
    )
    client_key: Path | None = option(
        parse.optional(parse.file),
        default="",
        help="The file with the private key (PEM) of client-certificate. Empty: it stands in the same file.",
    )
    client_key_password: Secret | None = option(
        parse.optional(parse.secret), default="", help="The password of client-key, where it is encrypted."
    )
    minimum_tls_version: TlsVersion = option(
        parse.one_of(TlsVersion), default="1.2", help="The oldest version of TLS that is accepted."
    )
    allow_plaintext_auth: bool = option(
        parse.flag,
        default="false",
        help="Whether to sign in where the connection is not encrypted. On the machine's own loopback that is always"
        " allowed; elsewhere anyone on the way can read the password.",
    )
    proxy: str = option(
        parse.text,
        default="",
        help="The NAME of the [proxy-NAME] to connect through; none: no proxy. Empty: [proxy], where it is in use.",
    )
    connect_timeout: float = option(
        parse.within("1s", "10m"), default="00:00:30", ours=True, help="How long to wait for a connection."
    )
    protocol_timeout: float = option(
        parse.within("1s", "1h"),
        default="00:05:00",
        ours=True,
        help="How long the server may be silent before the connection is given up (RFC 5321 §4.5.3.2 asks for five"
        " minutes).",
    )
    enable_debug: bool = option(
        parse.flag,
        default="false",
        help="Whether to log what is said to the server and what it answers, as events of level debug, passwords and"
        " tokens masked. What the mails say is then in the log, too. [log] verbose must be trace, as it is by"
        " default, or more.",
    )

    def check_server(self) -> Iterator[tuple[str, str]]:
        """What does not fit together in these options, as (option, what is wrong and what would be right)."""
        if self.client_key is not None and self.client_certificate is None:
            yield "client-key", "it needs its partner, client-certificate"
        if self.client_key_password is not None and self.client_certificate is None:
            yield "client-key-password", "it needs its partner, client-certificate"


def is_loopback(host: str) -> bool:
    """Whether a server of that name or address is on this machine for certain."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") in ("localhost", "localhost.localdomain", "ip6-localhost")
