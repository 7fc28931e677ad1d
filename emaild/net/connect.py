"""The one door through which every connection leaves."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext

from emaild.net.tls import client_context
from emaild.settings.mailbox import Security


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A server as its section describes it; times in seconds."""

    host: str
    port: int
    security: Security
    ca_file: Path | None
    connect_timeout: float
    protocol_timeout: float

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def tls(self) -> SSLContext:
        """What verifies this peer's certificate."""
        return client_context(self.ca_file)


def open_connection(peer: Peer) -> socket.socket:
    """A connected socket, wrapped in TLS where the peer's security is ssl-tls.

    Connecting, and the TLS handshake, may each take `connect_timeout`; after that each wait may last
    `protocol_timeout`.

    Raises:
        OSError: no connection; ssl.SSLCertVerificationError: a certificate that is not to be trusted.
    """
    plain = socket.create_connection((peer.host, peer.port), timeout=peer.connect_timeout)
    try:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # IMAPClient sends a command and its CRLF apart
        ready = plain
        if peer.security is Security.SSL_TLS:
            ready = peer.tls().wrap_socket(plain, server_hostname=peer.host)
        ready.settimeout(peer.protocol_timeout)
    except BaseException:
        plain.close()
        raise
    return ready
