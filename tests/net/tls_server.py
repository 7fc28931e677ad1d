"""A TLS server with a context of the test's own making."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from types import TracebackType
from typing import Self

from emaild.net.peer import Peer, Trust
from emaild.settings.server import Security
from tests.servers.authority import Authority
from tests.servers.ports import LOOPBACK

GREETING = b"+OK ready\r\n"


class TlsServer:
    """Greets every connection over TLS and waits for its end: `with TlsServer(context) as server`.

    `agreed` has the version and cipher suite of each handshake that succeeded, `shown` the client's certificate.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listener = socket.create_server((LOOPBACK, 0))
        self._threads = [threading.Thread(target=self._accept)]
        self.port: int = self._listener.getsockname()[1]
        self.agreed: list[tuple[str, str]] = []
        self.shown: list[bytes | None] = []

    def __enter__(self) -> Self:
        """Start to accept."""
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Accept no more, and wait for the connections to end."""
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(20)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._converse, args=[connection])
                self._threads.append(thread)
                thread.start()

    def _converse(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError), plain:
            plain.settimeout(10)
            with self._context.wrap_socket(plain, server_side=True) as connection:
                suite = connection.cipher()
                assert suite is not None
                self.agreed.append((str(connection.version()), suite[0]))
                self.shown.append(connection.getpeercert(binary_form=True))
                connection.sendall(GREETING)
                connection.recv(1)


def tls_peer(port: int, authority: Authority | None, *, host: str = "localhost", **trust: object) -> Peer:
    """A peer that trusts *authority*, or the system's where it is None; *trust* are fields of Trust."""
    fields = {"ca_file": authority.ca_file if authority else None} | trust
    return Peer(
        host=host,
        port=port,
        security=Security.SSL_TLS,
        connect_timeout=5.0,
        protocol_timeout=5.0,
        trust=Trust(**fields),  # type: ignore[arg-type]
    )
