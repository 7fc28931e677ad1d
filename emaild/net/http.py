"""HTTP/1.1 on connections through our own door, and one question to a server with a bound on all that it may take."""

from __future__ import annotations

import contextlib
import http.client
import io
import math
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emaild import __version__
from emaild.errors import Unreachable
from emaild.net.connect import open_connection
from emaild.net.peer import Peer
from emaild.net.race import Deadline
from emaild.net.translate import network_meaning
from emaild.settings.server import Security

LONGEST_ANSWER = 1 << 20  # bytes, head and all; documents of sign-in have a few thousand
LONGEST_HEAD = 256 << 10  # bytes; http.client takes a hundred lines, and any number of heads that say 100
LEAST_RATE = 4 << 10  # bytes a second of what has no bound otherwise: a modem's
CHUNKED = 6  # how many times as many bytes as it has itself a body may take: chunks of one byte (RFC 9112 §7.1)
PIECE = 16 << 10  # a record of TLS: what is sent at once, for each piece has the time that is left
STANDING = {"User-Agent": f"emaild/{__version__}", "Accept-Encoding": "identity"}


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
    path = target.partition("?")[0][:200]  # secrets may stand in the query
    with (
        translated(str(peer), f"{method} {path}"),
        contextlib.closing(BoundedConnection(peer, LONGEST_ANSWER)) as connection,
    ):
        connection.connect()
        connection.request(method, target, body or None, {**STANDING, "Connection": "close", **fields})
        with contextlib.closing(connection.getresponse()) as response:  # what breaks while it is read is closed, too
            headers = {name.lower(): value for name, value in response.headers.items()}
            return HttpAnswer(response.status, headers, response.read())


@contextlib.contextmanager
def translated(where: str, action: str) -> Iterator[None]:
    """What http.client raises, as a RemoteError."""
    try:
        yield
    except OSError as error:
        kind, reason = network_meaning(error)
        raise kind(where, action, reason) from error
    except http.client.IncompleteRead as error:
        raise Unreachable(where, action, "the answer ended too early") from error
    except (http.client.HTTPException, ValueError) as error:
        raise Unreachable(where, action, "what it answers is no HTTP, or is too long") from error


class Connection(http.client.HTTPConnection):
    """Connects by our own door, and never by itself."""

    auto_open = 0

    def __init__(self, peer: Peer) -> None:
        super().__init__(peer.host, peer.port)
        self._peer = peer
        self.default_port = http.client.HTTPS_PORT if peer.security is Security.SSL_TLS else http.client.HTTP_PORT

    def connect(self) -> None:
        """As told by the peer."""
        self.sock: Any = open_connection(self._peer)


class BoundedConnection(Connection):
    """One where a question and its answer together have the peer's protocol_timeout, and the answer *most* bytes."""

    def __init__(self, peer: Peer, most: int) -> None:
        super().__init__(peer)
        self._most = most

    def connect(self) -> None:
        """As told by the peer; time and bytes of the first question count from here."""
        super().connect()
        self.sock = BoundedSocket(self.sock, self._peer.protocol_timeout)
        self.hurry()

    def hurry(self) -> None:
        """From now on the time and the bytes of the next question count."""
        self.sock.begin(self._most)


class BoundedSocket:
    """What libraries of HTTP take for a socket: what is sent or read through it has a bound in time and in bytes.

    There are *seconds* from each `begin`, and one more for each *rate* bytes that go either way, but never more than
    *seconds* at once: as Postfix counts (smtp_min_data_rate), so that who drips comes to an end, and a slow line
    does not. Without a rate there are no more. Whatever goes beyond raises TimeoutError or HTTPException.
    """

    def __init__(self, connection: socket.socket, seconds: float, rate: float = math.inf) -> None:
        self.connection = connection
        self._seconds = seconds
        self._rate = rate
        self._readers = 0
        self._closed = False
        self.begin(LONGEST_HEAD)

    def begin(self, most: int) -> None:
        """The time begins anew; from now on at most that many bytes are read."""
        self._deadline = Deadline(self._seconds)
        self.allow(most)

    def allow(self, most: int) -> None:
        """From now on at most that many bytes are read, in the time that is left."""
        self._left = most

    def sendall(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE]
            self.connection.settimeout(self._deadline.left())
            self.connection.sendall(piece)
            self._moved(len(piece))

    def read_into(self, buffer: memoryview) -> int:
        if self._left <= 0:
            raise http.client.HTTPException("the answer is too long")
        self.connection.settimeout(self._deadline.left())
        count = self.connection.recv_into(buffer[: self._left])
        self._left -= count
        self._moved(count)
        return count

    def _moved(self, count: int) -> None:
        left = self._deadline.left() + count / self._rate
        self._deadline = Deadline(min(left, self._seconds))

    def makefile(self, mode: str) -> io.BufferedReader:
        self._readers += 1
        return io.BufferedReader(_Reading(self))

    def fileno(self) -> int:
        return self.connection.fileno()

    def settimeout(self, seconds: float | None) -> None:
        """What a library would have it wait for at each turn does not count."""

    def close(self) -> None:
        """Once nobody reads from it any more: of an answer that is the last, http.client closes before it reads."""
        self._closed = True
        self._close_unread()

    def reader_closed(self) -> None:
        self._readers -= 1
        self._close_unread()

    def _close_unread(self) -> None:
        if self._closed and not self._readers:
            with contextlib.suppress(OSError):
                self.connection.close()


class _Reading(io.RawIOBase):
    """Closing it leaves the connection open: the next answer comes on it."""

    def __init__(self, connection: BoundedSocket) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._connection.read_into(memoryview(buffer))

    def close(self) -> None:
        if not self.closed:
            self._connection.reader_closed()
        super().close()
