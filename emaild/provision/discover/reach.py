"""The ways out that discovery has: HTTPS and DNS, through a proxy or not, each question with an end."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from emaild.errors import RemoteError
from emaild.net.http import HttpAnswer, ask
from emaild.net.peer import Peer, ProxyServer, Trust, proxy_server
from emaild.net.race import Deadline
from emaild.provision.discover.address import host_name
from emaild.provision.discover.found import Came
from emaild.provision.discover.unfit import Unfit
from emaild.settings.discovery import DiscoverySection
from emaild.settings.network import ProxySection
from emaild.settings.server import Security

MOST_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)  # RFC 9110 §15.4
KEPT = "/?%:@!$&'()*+,;=~"  # what a path and a query may hold (RFC 3986 §3.3, §3.4)
NOT_THERE = (404, 410)
NOT_FOR_US = (401, 403)
CAUSES: tuple[tuple[type[BaseException], Came], ...] = (
    (ssl.SSLCertVerificationError, Came.NOT_TRUSTED),
    (TimeoutError, Came.TIMED_OUT),
    (socket.gaierror, Came.NOTHING),
    (ConnectionRefusedError, Came.REFUSED),
    (http.client.HTTPException, Came.MALFORMED),
)


@dataclass(frozen=True)
class Reach:
    """What is asked, and through what."""

    section: DiscoverySection
    proxy: ProxySection | None

    @property
    def through(self) -> ProxyServer | None:
        """The proxy, as connections need it."""
        return None if self.proxy is None else proxy_server(self.proxy)

    def peer(self, host: str, port: int, security: Security, seconds: float) -> Peer:
        """A server that is there for us no longer than that."""
        return Peer(
            host=host,
            port=port,
            section=self.section.name,
            security=security,
            trust=Trust(ca_file=self.section.ca_file, minimum_version=self.section.minimum_tls_version),
            proxy=self.through,
            connect_timeout=seconds,
            protocol_timeout=seconds,
        )

    def fetch(self, url: str, deadline: Deadline) -> bytes:
        """What lies at a URL. Redirects are followed to https alone, and MOST_REDIRECTS of them.

        Raises:
            Unfit: nothing lies there, or it cannot be had. TimeoutError: the deadline came.
        """
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._get(url, deadline)
            if answer.status not in REDIRECTS:
                return _body(answer)
            url = _led_to(url, answer.headers.get("location", ""))
        raise Unfit(Came.WRONG, f"it redirects more than {MOST_REDIRECTS} times")

    def _get(self, url: str, deadline: Deadline) -> HttpAnswer:
        parts = urlsplit(url)
        encrypted = parts.scheme == "https"
        security, port = (Security.SSL_TLS, 443) if encrypted else (Security.NONE, 80)
        peer = self.peer(parts.hostname or "", parts.port or port, security, deadline.left())
        target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=KEPT)
        try:
            return ask(peer, "GET", target, {"Accept": "text/xml, application/xml;q=0.9"})
        except RemoteError as error:
            raise meant(error) from error


def meant(error: RemoteError) -> Unfit:
    """What a server that failed us means for the step."""
    cause = error.__cause__
    came = next((came for kind, came in CAUSES if isinstance(cause, kind)), Came.UNREACHABLE)
    if came is Came.UNREACHABLE and not error.temporary:
        came = Came.REFUSED
    if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_AGAIN:
        came = Came.UNREACHABLE
    return Unfit(came, error.reason)


def _body(answer: HttpAnswer) -> bytes:
    if answer.status == 200:
        return answer.body
    came = Came.UNREACHABLE
    if answer.status in NOT_THERE:
        came = Came.NOTHING
    elif answer.status in NOT_FOR_US:
        came = Came.REFUSED
    raise Unfit(came, f"it answers {answer.status}")


def _led_to(url: str, location: str) -> str:
    """Where a redirect leads, with a host's name as DNS has it."""
    try:
        parts = urlsplit(urljoin(url, location.strip()))
        host, port = host_name(parts.hostname or ""), parts.port
    except ValueError:
        raise Unfit(Came.WRONG, "it redirects to no URL") from None
    if parts.scheme != "https" or "@" in parts.netloc:
        raise Unfit(Came.WRONG, f"it redirects to {parts.scheme}://{host}, and only https is followed")
    place = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=f"{place}:{port}" if port else place, fragment="").geturl()
