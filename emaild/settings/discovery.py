"""`[discovery]`: how `emaild discover` and `emaild add` find out where an address's mailbox is."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from emaild.settings import parse
from emaild.settings.option import SectionKind, option
from emaild.settings.parse import Parser
from emaild.settings.server import TlsVersion

DNS_PORT = 53


@dataclass(frozen=True)
class DnsServer:
    """A server of names; `host` is an address."""

    host: str
    port: int = DNS_PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _dns_server(text: str) -> DnsServer:
    """`192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`."""
    found = re.fullmatch(r"\[([^\]]+)\](?::([0-9]{1,5}))?|([0-9.]+):([0-9]{1,5})|(.+)", text, re.ASCII)
    if found is None:
        raise ValueError
    host, port = found[1] or found[3] or found[5], int(found[2] or found[4] or DNS_PORT)
    if not 0 < port < 1 << 16:
        raise ValueError("a port is a number from 1 to 65535")
    return DnsServer(str(ipaddress.ip_address(host)), port)


def _dns_servers(value: str) -> tuple[DnsServer, ...]:
    return tuple(_dns_server(word) for word in parse.words.read(value))


def _bases(value: str) -> tuple[str, ...]:
    found = parse.words.read(value)
    for base in found:
        parts = urlsplit(base)
        if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError
        parts.port  # noqa: B018  # ValueError where it is none
    return tuple(base if base.endswith("/") else f"{base}/" for base in found)


dns_servers: Parser[tuple[DnsServer, ...]] = Parser(
    _dns_servers, "IP addresses, each with :PORT or without, separated by commas or spaces"
)
bases: Parser[tuple[str, ...]] = Parser(_bases, "URLs that begin with https://, separated by commas or spaces")


@dataclass(frozen=True, kw_only=True)
class DiscoverySection:
    """How it is found out where the mailbox of an address is."""

    kind: ClassVar[SectionKind] = SectionKind(
        name="discovery",
        help="How emaild discover and emaild add find out, from an address, where its mailbox is.",
    )

    name: str = "discovery"
    ispdb: tuple[str, ...] = option(
        bases,
        default="https://live.thunderbird.net/autoconfig/v1.1/",
        help="Databases of providers that are asked for the address's domain, which they learn by it; the first that"
        " knows it is right. Empty: none is asked.",
    )
    dns_servers: tuple[DnsServer, ...] = option(
        dns_servers,
        default="",
        help="Addresses of the DNS servers that are asked for MX and SRV. Empty: the system's. Names of hosts are"
        " always looked up as the system does it.",
    )
    use_http: bool = option(
        parse.flag,
        default="false",
        help="Whether the provider is asked without TLS, too, where it does not answer with it. Anyone on the way can"
        " change what it says, so a server without TLS is never taken from there.",
    )
    timeout: float = option(parse.within("1s", "5m"), default="10s", help="How long all of it may take together.")
    ca_file: Path | None = option(
        parse.optional(parse.file), default="", help="A file of CA certificates (PEM) to trust instead of the system's."
    )
    minimum_tls_version: TlsVersion = option(
        parse.one_of(TlsVersion), default="1.2", help="The oldest version of TLS that is accepted."
    )
    proxy: str = option(
        parse.text,
        default="",
        help="The NAME of the [proxy-NAME] to connect through, to DNS servers, too, by TCP; none: no proxy. Empty:"
        " [proxy], where it is in use.",
    )
