"""Sockets that give up when what is written is not accepted in time, and that tell a trace what is said."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from emaild.net.peer import Peer
from emaild.net.trace import Trace

PIECE = 64 << 10  # bytes written at once: the write timeout is for each piece, so a large mail may take longer


def is_watched(peer: Peer) -> bool:
    """Whether the connections to a server are to be such sockets."""
    return peer.trace or peer.write_timeout is not None


class Wire(socket.socket):
    """A socket with a write timeout in seconds, a trace, or both."""

    write_timeout: float | None = None
    trace: Trace | None = None

    def take_over(self, other: socket.socket) -> None:
        """Be to the connection what *other* was to it."""
        if isinstance(other, Wire):
            self.write_timeout, self.trace = other.write_timeout, other.trace

    def sendall(self, data: Any, flags: int = 0) -> None:
        """As a socket's own, each piece of 64 KiB within the write timeout.

        Raises:
            TimeoutError: the other side did not accept it in time.
        """
        with memoryview(data) as view, view.cast("B") as octets:
            if self.trace is not None:
                self.trace.sent(bytes(octets))
            for start in range(0, len(octets), PIECE):
                self._write(octets[start : start + PIECE], flags)

    def _write(self, piece: memoryview, flags: int) -> None:
        patience = self.gettimeout()
        if self.write_timeout is not None:
            self.settimeout(self.write_timeout)
        try:
            super().sendall(piece, flags)
        finally:
            self.settimeout(patience)

    def recv(self, *arguments: Any) -> bytes:
        """As a socket's own."""
        data = super().recv(*arguments)
        if self.trace is not None:
            self.trace.heard(data)
        return data

    def recv_into(self, buffer: Any, *arguments: Any) -> int:
        """As a socket's own."""
        count = super().recv_into(buffer, *arguments)
        if self.trace is not None:
            self.trace.heard(bytes(memoryview(buffer)[:count]))
        return count


class TlsWire(Wire, ssl.SSLSocket):
    """The same over TLS."""
