"""Ports on loopback that nobody else is given while a server owns them."""

import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"

_LISTEN = "0A"  # TCP_LISTEN in the third column of /proc/net/tcp


class ReservedPort:
    """A free port, kept ours by a socket that is bound to it and does not listen.

    The kernel gives such a port neither to another bind to port 0 nor to an outgoing connection, so two
    suites at once cannot meet, and a server finds its port again after a restart. A server can listen on it
    because both sockets set SO_REUSEADDR, as servers do. Until one does, a connection is refused.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((LOOPBACK, 0))
        self.number: int = self._socket.getsockname()[1]

    def release(self) -> None:
        """Give the port back."""
        self._socket.close()


def listening(port: int) -> bool:
    """Say whether some process accepts connections at *port*, without making one that would be counted."""
    wanted = f":{port:04X}"
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return any(local.endswith(wanted) and state == _LISTEN for _, local, _, state, *_ in map(str.split, lines))
