"""Questions to DNS servers: over UDP, and TCP where an answer is too long; through a proxy, TCP alone."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.resolver

from emaild.errors import RemoteError
from emaild.net.connect import open_connection
from emaild.net.race import Deadline
from emaild.provision.discover.found import Came
from emaild.provision.discover.reach import Reach, meant
from emaild.provision.discover.unfit import Unfit
from emaild.settings.discovery import DnsServer
from emaild.settings.server import Security

ROUNDS = 2  # how often each server is asked: a datagram may be lost
PATIENCE = 3.0  # seconds that one answer may take

Ask = Callable[[dns.message.Message, DnsServer, float], dns.message.Message]


def records(reach: Reach, name: str, kind: str, deadline: Deadline) -> tuple[Any, ...]:
    """The records of a kind that a name has, CNAMEs followed as the server followed them; in no order.

    Raises:
        Unfit: it has none, or no server says. TimeoutError: the deadline came.
    """
    try:
        question = dns.message.make_query(f"{name}.", kind)
    except dns.exception.DNSException:
        raise Unfit(Came.NOTHING, "it cannot be a name in DNS") from None
    ask = _direct if reach.through is None else _through(reach)
    failure = Unfit(Came.SKIPPED, "there is no DNS server to ask")
    for server in (*_servers(reach),) * ROUNDS:
        try:
            answer = ask(question, server, min(PATIENCE, deadline.left()))
            return _records(answer, kind, server)
        except _Unanswered as error:
            failure = Unfit(error.came, f"{server}: {error.text}")
    raise failure


class _Unanswered(Exception):
    """A server that gave no answer; another one may."""

    def __init__(self, came: Came, text: str) -> None:
        super().__init__(text)
        self.came = came
        self.text = text


def _records(answer: dns.message.Message, kind: str, server: DnsServer) -> tuple[Any, ...]:
    if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        came = Came.REFUSED if answer.rcode() == dns.rcode.REFUSED else Came.UNREACHABLE
        raise _Unanswered(came, f"it answers {dns.rcode.to_text(answer.rcode())}")
    try:
        assert isinstance(answer, dns.message.QueryMessage)
        found = answer.resolve_chaining().answer
    except dns.exception.DNSException:
        raise _Unanswered(Came.MALFORMED, "its CNAMEs have no end, or it contradicts itself") from None
    if found is None:
        there = "the name is not there" if answer.rcode() == dns.rcode.NXDOMAIN else f"it has no {kind}"
        raise Unfit(Came.NOTHING, there)
    return tuple(found)


def _direct(question: dns.message.Message, server: DnsServer, seconds: float) -> dns.message.Message:
    with _understood():
        return dns.query.udp_with_fallback(
            question, server.host, seconds, server.port, ignore_unexpected=True, ignore_errors=True
        )[0]


def _through(reach: Reach) -> Ask:
    def ask(question: dns.message.Message, server: DnsServer, seconds: float) -> dns.message.Message:
        with _understood():
            peer = reach.peer(server.host, server.port, Security.NONE, seconds)
            with contextlib.closing(open_connection(peer)) as connection:
                connection.setblocking(False)  # dnspython waits by itself
                return dns.query.tcp(question, server.host, seconds, server.port, sock=connection)

    return ask


@contextlib.contextmanager
def _understood() -> Iterator[None]:
    """What dnspython and the system raise, as _Unanswered."""
    try:
        yield
    except RemoteError as error:
        why = meant(error)
        raise _Unanswered(why.came, why.text) from error
    except (dns.exception.Timeout, TimeoutError) as error:
        raise _Unanswered(Came.TIMED_OUT, "no answer in time") from error
    except OSError as error:
        came = Came.REFUSED if isinstance(error, ConnectionRefusedError) else Came.UNREACHABLE
        raise _Unanswered(came, error.strerror or type(error).__name__) from error
    except EOFError as error:
        raise _Unanswered(Came.UNREACHABLE, "it closed the connection") from error
    except (dns.exception.DNSException, ValueError) as error:
        raise _Unanswered(Came.MALFORMED, "what it answers is no DNS") from error


def _servers(reach: Reach) -> Sequence[DnsServer]:
    """Whom to ask. What the system has on loopback is not where a proxy leads to: what it has there is another's."""
    if reach.section.dns_servers:
        return reach.section.dns_servers
    try:
        found = [DnsServer(str(one)) for one in dns.resolver.Resolver().nameservers]
    except (dns.exception.DNSException, ValueError):
        raise Unfit(Came.SKIPPED, "the system names no DNS server in /etc/resolv.conf; dns-servers can") from None
    if reach.proxy is None:
        return found
    far = [server for server in found if not ipaddress.ip_address(server.host.partition("%")[0]).is_loopback]
    if not far:
        text = f"[{reach.proxy.name}] does not lead to the system's DNS server, which is on this machine; dns-servers"
        raise Unfit(Came.SKIPPED, f"{text} could name one that it leads to")
    return far
