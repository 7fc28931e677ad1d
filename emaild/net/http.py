"""One question to a server by HTTP/1.1, on a connection through our own door, with a bound on all that it may take."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emaild import __version__
from emaild.errors import RemoteError, Unreachable
from emaild.net.connect import open_connection
from emaild.net.peer import Peer
from emaild.net.race import Deadline
from emaild.net.translate import network_meaning
from emaild.settings.server import Security

LONGEST_ANSWER = 1 << 20  # bytes, head and all; documents of sign-in have a few thousand
PIECE = 16 << 10  # what is sent at once, for each piece has the time that is left
STANDING = {"User-Agent": f"emaild/{__version__}", "Accept-Encoding": "identity", "Connection": "close"}


@dataclass(frozen=True)
class HttpAnswer:
    """What the server said; `headers` have names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(peer: Peer, method: str, target: str, fields: Mapping[str, str], body: bytes = b"") -> HttpAnswer:
    """Ask for *target*, path and query. Connecting may take as long as the peer says, the rest together as long again.

    Raises:
        RemoteError: no answer, or one that is no HTTP or longer than LONGEST_ANSWER.
    """
    connection = _Connection(peer)
    try:
        connection.connect()
        connection.request(method, target, body or None, {**STANDING, **fields})
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(response.status, headers, response.read())
    except RemoteError:
        raise
    except OSError as error:
        kind, reason = network_meaning(error)
        raise kind(str(peer), f"{method} {_path(target)}", reason) from error
    except (http.client.HTTPException, ValueError) as error:
        wrong = "what it answers is no HTTP, broke off, or is too long"
        raise Unreachable(str(peer), f"{method} {_path(target)}", wrong) from error
    finally:
        connection.close()


def _path(target: str) -> str:
    """Without the query, where secrets may stand."""
    return target.partition("?")[0][:200]


class _Connection(http.client.HTTPConnection):
    """Connects by our own door, and never by itself."""

    auto_open = 0

    def __init__(self, peer: Peer) -> None:
        super().__init__(peer.host, peer.port)
        self._peer = peer
        self.default_port = http.client.HTTPS_PORT if peer.security is Security.SSL_TLS else http.client.HTTP_PORT

    def connect(self) -> None:
        """As told by the peer; the time for question and answer counts from here."""
        self.sock: Any = _Bounded(open_connection(self._peer), self._peer.protocol_timeout)


class _Bounded:
    """What http.client takes for a socket: question and answer have a deadline, and the answer a length."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._deadline = Deadline(seconds)
        self._left = LONGEST_ANSWER

    def sendall(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            self._connection.settimeout(self._deadline.left())
            self._connection.sendall(data[start : start + PIECE])

    def read_into(self, buffer: memoryview) -> int:
        if self._left <= 0:
            raise http.client.HTTPException("the answer is too long")
        self._connection.settimeout(self._deadline.left())
        count = self._connection.recv_into(buffer[: self._left])
        self._left -= count
        return count

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.close()


class _Reading(io.RawIOBase):
    def __init__(self, connection: _Bounded) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._connection.read_into(memoryview(buffer))
