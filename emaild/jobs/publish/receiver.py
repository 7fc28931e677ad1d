"""The program that a webhook leads to: HTTP/1.1 on a connection of ours, with a bound on all that it may take."""

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

LONGEST_ANSWER = 64 << 10
PIECE = 16 << 10  # a record of TLS: what is sent at once, for each piece has the time that is left
STANDING = {
    "User-Agent": f"emaild/{__version__}",
    "Content-Type": "application/json; charset=utf-8",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True)
class Answer:
    """What the receiver said; `retry_after` is that field as it stands, or empty."""

    status: int
    retry_after: str = ""


class Receiver:
    """One connection, kept until `close` or a failure. *target* is what is asked for: path and query."""

    def __init__(self, peer: Peer, target: str) -> None:
        self._peer = peer
        self._target = target
        self._connection: _Connection | None = None

    def post(self, fields: Mapping[str, str], body: bytes) -> Answer:
        """Post it. Connecting may take as long as the peer says, sending and the answer together as long again.

        Raises:
            RemoteError: no answer.
        """
        try:
            return self._post_kept(fields, body)
        except RemoteError:
            self.close()
            raise
        except OSError as error:
            self.close()
            kind, reason = network_meaning(error)
            raise kind(str(self._peer), "post", reason) from error
        except (http.client.HTTPException, ValueError) as error:
            self.close()
            raise Unreachable(str(self._peer), "post", "what it answers is no HTTP") from error

    def close(self) -> None:
        """Let go of the connection; the next `post` makes another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post_kept(self, fields: Mapping[str, str], body: bytes) -> Answer:
        if self._connection is not None:
            try:
                return self._ask(self._connection, fields, body)
            except TimeoutError:
                raise
            except OSError:  # it was closed while nothing was to be posted: the receiver drops doubles by their id
                self.close()
        self._connection = _Connection(self._peer)
        self._connection.connect()
        return self._ask(self._connection, fields, body)

    def _ask(self, connection: _Connection, fields: Mapping[str, str], body: bytes) -> Answer:
        connection.hurry()
        connection.request("POST", self._target, body, {**STANDING, **fields})
        response = connection.getresponse()
        answer = Answer(response.status, response.headers.get("Retry-After", "").strip())
        try:
            response.read(LONGEST_ANSWER)  # what it says beside does not matter; the next answer comes after it
        except (OSError, http.client.HTTPException, ValueError):
            self.close()
        if response.will_close or not response.isclosed():
            self.close()
        return answer


class _Connection(http.client.HTTPConnection):
    """Connects by our own door, and never by itself."""

    auto_open = 0

    def __init__(self, peer: Peer) -> None:
        super().__init__(peer.host, peer.port)
        self._peer = peer
        self.default_port = http.client.HTTPS_PORT if peer.security is Security.SSL_TLS else http.client.HTTP_PORT

    def connect(self) -> None:
        """As told by the peer."""
        self.sock: Any = _Hurried(open_connection(self._peer), self._peer.protocol_timeout)

    def hurry(self) -> None:
        """From now on the time counts in which the answer must be there."""
        self.sock.hurry()


class _Hurried:
    """What http.client takes for a socket: a request and its answer have a deadline, and the answer a length."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self.hurry()

    def hurry(self) -> None:
        self._deadline = Deadline(self._seconds)
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
    """Closing it leaves the connection open: the next answer comes on it."""

    def __init__(self, connection: _Hurried) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._connection.read_into(memoryview(buffer))
