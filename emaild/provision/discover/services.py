"""SRV records of mail servers (RFC 6186, RFC 8314 §5.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from emaild.provision.discover import known
from emaild.provision.discover.address import Address, host_name
from emaild.provision.discover.doubts import of_dns
from emaild.provision.discover.found import Came, Found, Protocol, Server, SignIn
from emaild.provision.discover.unfit import Unfit
from emaild.settings.server import Security

MOST = 20  # records of one service that are looked at


@dataclass(frozen=True)
class Service:
    """A service, as it is called in DNS, and what it means."""

    name: str
    protocol: Protocol
    security: Security

    def asked(self, domain: str) -> str:
        """The name that has its records."""
        return f"{self.name}._tcp.{domain}"


SERVICES = (
    Service("_imaps", Protocol.IMAP, Security.SSL_TLS),
    Service("_imap", Protocol.IMAP, Security.START_TLS),
    Service("_pop3s", Protocol.POP3, Security.SSL_TLS),
    Service("_pop3", Protocol.POP3, Security.START_TLS),
    Service("_submissions", Protocol.SMTP, Security.SSL_TLS),
    Service("_submission", Protocol.SMTP, Security.START_TLS),
)
"""Best first where priorities are equal: TLS from the first byte before STARTTLS (RFC 8314 §3)."""


@dataclass(frozen=True)
class Offer:
    """A server that a record names; the lower `rank`, the better."""

    rank: tuple[int, int, int]
    server: Server


def offers(records: Iterable[Any], service: Service, address: Address) -> tuple[Offer, ...]:
    """The servers that the records of a service name.

    A lower priority is better, whichever service it is of (RFC 6186 §3.4); then the service, then a higher weight.

    Raises:
        Unfit: the service is not offered, which the target `.` says, or no record names a host.
    """
    found = list(records)[:MOST]
    targets = [str(one.target.to_text(omit_final_dot=True)) for one in found]
    if targets and all(target == "." for target in targets):
        raise Unfit(Came.NOTHING, "the domain says that it does not offer this")
    made = tuple(
        Offer((int(one.priority), SERVICES.index(service), -int(one.weight)), server)
        for one, target in zip(found, targets, strict=True)
        if (server := _server(target, int(one.port), service, address))
    )
    if not made:
        raise Unfit(Came.WRONG, "no record names a host and a port")
    return made


def found_by(offered: Iterable[Offer], address: Address) -> Found | None:
    """What all services together come to; None where there is nothing to read from.

    RFC 6186 §4: the name to sign in with is the address.
    """
    servers = [offer.server for offer in sorted(offered, key=lambda offer: (offer.rank, offer.server.host))]
    incoming = tuple(server for server in servers if server.protocol is not Protocol.SMTP)
    if not incoming:
        return None
    outgoing = tuple(server for server in servers if server.protocol is Protocol.SMTP)
    return known.by_host(address, incoming[0].host) or Found(
        address=address.text,
        name=address.domain,
        domains=(address.domain,),
        incoming=incoming,
        outgoing=outgoing,
    )


def _server(target: str, port: int, service: Service, address: Address) -> Server | None:
    try:
        host = host_name(target)
    except ValueError:
        return None
    if not port:
        return None
    return Server(
        protocol=service.protocol,
        host=host,
        port=port,
        security=service.security,
        user=address.text,
        sign_in=(SignIn.PASSWORD,),
        doubt=of_dns(host, address),
    )
