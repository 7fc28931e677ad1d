"""The one door through which every connection leaves."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from emaild.errors import Rejected, Unreachable
from emaild.net import steps
from emaild.net.peer import Peer
from emaild.net.proxy import connected_through
from emaild.net.public import check_known_addresses, check_public
from emaild.net.race import Deadline, Here, connected
from emaild.net.tls import client_context
from emaild.net.trace import Trace
from emaild.net.wire import Wire, is_watched
from emaild.settings.server import Security

T = TypeVar("T")


def open_connection(peer: Peer) -> socket.socket:
    """A connected socket, wrapped in TLS where the peer's security is ssl-tls.

    Connecting, proxies included, and the TLS handshake may each take `connect_timeout`; after that each wait may
    last `protocol_timeout`, and writing `write_timeout`.

    Raises:
        OSError: no connection; ssl.SSLCertVerificationError: a certificate that is not to be trusted.
        RemoteError: a proxy that does not let us through, a file of certificates that cannot be used, or an address
            that is not public though it must be.
    """
    context = client_context(peer) if peer.security is Security.SSL_TLS else None
    ready = _watched(peer, _connected(peer))
    try:
        if context is not None:
            ready.settimeout(peer.connect_timeout)
            ready = context.wrap_socket(ready, server_hostname=peer.host)
        elif peer.security is Security.NONE and not peer.starttls_if_offered:
            steps.skip(steps.TLS, "the section asks for none")
        ready.settimeout(peer.protocol_timeout)
    except BaseException:
        ready.close()
        raise
    return ready


def _connected(peer: Peer) -> socket.socket:
    deadline = Deadline(peer.connect_timeout)
    if peer.proxy is not None:
        if peer.public_only:
            check_known_addresses(peer, deadline)
        return connected_through(peer.proxy, peer, deadline)
    permit = partial(check_public, peer) if peer.public_only else None
    return connected(peer.host, peer.port, Here(peer.local_address, peer.local_port), deadline, permit)


def _watched(peer: Peer, connection: socket.socket) -> socket.socket:
    """The connection; as a Wire where there is something to watch, so that it costs nothing where there is not."""
    if not is_watched(peer):
        return connection
    wire = Wire(fileno=connection.detach())
    wire.write_timeout = peer.write_timeout
    wire.trace = Trace(peer) if peer.trace else None
    return wire


def first_that_connects(peer: Peer, connect: Callable[[Peer], T]) -> T:
    """What *connect* makes of the first of the peer's attempts that leads somewhere.

    An attempt that ends Unreachable leads to the next.

    Raises:
        RemoteError: of the last attempt; any other than Unreachable ends it at once, an untrusted certificate above
            all: whoever can break TLS must not be given a connection without it.
    """
    *earlier, last = peer.attempts
    for attempt in earlier:
        try:
            return connect(attempt)
        except Unreachable as error:
            steps.fail(error.reason, error.action)
    return connect(last)


def check_encrypted(peer: Peer, connection: socket.socket) -> None:
    """To be called just before a secret is sent.

    Raises:
        Rejected: anyone on the way could read it, and allow-plaintext-auth is not set.
    """
    if isinstance(connection, ssl.SSLSocket) or peer.allow_plaintext_auth:
        return
    if peer.proxy is None and _on_this_machine(connection):
        return
    raise Rejected(
        str(peer),
        "sign in",
        "the connection is not encrypted; let the security be ssl-tls or start-tls, or set allow-plaintext-auth",
    )


def _on_this_machine(connection: socket.socket) -> bool:
    address = ipaddress.ip_address(connection.getpeername()[0].partition("%")[0])
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
