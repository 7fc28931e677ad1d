"""HTTP/1.1 to one server, on a connection of our own door that is kept between requests.

Nothing is followed, nothing is guessed: an answer is whole or an error, and no longer than the caller allows.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import select
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message

from emaild.errors import RemoteError, Unreachable
from emaild.net import steps
from emaild.net.connect import check_encrypted
from emaild.net.http import CHUNKED, LEAST_RATE, LONGEST_HEAD, BoundedSocket, Connection, translated
from emaild.net.peer import Peer
from emaild.net.tls import spoken

PIECE = 256 << 10  # bytes that are read at once
AUTHORIZATION = "Authorization"


class NotAsked(Unreachable):
    """There was no connection to ask on: whatever was to be done is not done."""


@dataclass(frozen=True)
class Reply:
    """What a server answered. `cut`: the body goes on, and was not read."""

    status: int
    headers: Message
    body: bytes
    cut: bool = False


class Line:
    """One kept connection. Used by one thread at a time."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._connection: _Connection | None = None
        self.tls = ""  # version and cipher of the newest connection

    def __str__(self) -> str:
        return str(self._peer)

    def connect(self) -> None:
        """Have a connection that the server did not close.

        Raises:
            RemoteError: there is none to be had.
        """
        with self._translated("connect"):
            self._ready()

    def exchange(self, method: str, target: str, fields: Mapping[str, str], body: bytes, most: int) -> Reply:
        """Ask, and read at most *most* bytes of the answer's body.

        Question, head and body may each take the peer's protocol_timeout, and longer at LEAST_RATE or more.

        What may be done twice is asked once more where a kept connection turns out to be closed.

        Raises:
            RemoteError: no answer, or half of one.
        """
        with self._translated(f"{method} {target.partition('?')[0]}"):
            kept = self._ready()
            try:
                return self._asked(method, target, fields, body, most)
            except TimeoutError:
                raise
            except (OSError, http.client.BadStatusLine):
                if not kept or method == "POST":
                    raise
            self.close()
            self._ready()
            return self._asked(method, target, fields, body, most)

    def close(self) -> None:
        """Let go of the connection; never raises."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

    def _ready(self) -> bool:
        """Whether the connection that is there now was there before."""
        if self._connection is not None and self._connection.used and self._connection.has_said_something():
            self.close()
        if self._connection is not None:
            return True
        connection = _Connection(self._peer)
        try:
            with translated(str(self), "connect"):
                connection.connect()
        except Unreachable as error:
            raise NotAsked(error.where, error.action, error.reason) from error
        self._connection = connection
        self.tls = spoken(connection.sock.connection)
        return False

    def _asked(self, method: str, target: str, fields: Mapping[str, str], body: bytes, most: int) -> Reply:
        connection = self._connection
        assert connection is not None
        bounded: BoundedSocket = connection.sock
        if AUTHORIZATION in fields:
            check_encrypted(self._peer, bounded.connection)
        steps.begin("request")
        bounded.begin(LONGEST_HEAD)
        connection.request(method, target, body or None, dict(fields))
        bounded.begin(LONGEST_HEAD)
        with contextlib.closing(connection.getresponse()) as response:
            packed = response.headers.get("Content-Encoding", "").strip().lower()
            if packed not in ("", "identity") and 200 <= response.status < 300:
                raise Unreachable(str(self), f"{method} {target.partition('?')[0]}", "the answer is packed, unasked")
            bounded.begin(LONGEST_HEAD)
            found, cut = _body(response, bounded, most)
        connection.used = True
        if cut or response.will_close:
            self.close()
        return Reply(response.status, response.headers, found, cut)

    @contextlib.contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        try:
            with translated(str(self), action):
                yield
        except RemoteError:
            self.close()
            raise


class _Connection(Connection):
    used = False  # before that TLS 1.3 may have sent tickets, which are no answer to anything

    def connect(self) -> None:
        super().connect()
        self.sock = BoundedSocket(self.sock, self._peer.protocol_timeout, LEAST_RATE)

    def has_said_something(self) -> bool:
        """Whether something is there to be read though nothing was asked, be it only the end."""
        poll = select.poll()  # unlike select() it takes descriptors above 1,023
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))


def _body(response: http.client.HTTPResponse, bounded: BoundedSocket, most: int) -> tuple[bytes, bool]:
    """At most that many bytes, and whether there are more.

    Raises:
        IncompleteRead: the connection ended before the answer did, as far as that can be told.
    """
    if not response.chunked and response.length is None:
        raise http.client.IncompleteRead(b"")  # its end and a broken connection would look the same
    found = io.BytesIO()  # it gives away the bytes that it holds, without a copy
    while found.tell() <= most:
        bounded.allow(PIECE * CHUNKED + LONGEST_HEAD)  # with what is no body: the sizes of chunks, and trailers
        piece = response.read(min(PIECE, most + 1 - found.tell()))
        if not piece:
            break
        found.write(piece)
    cut = found.tell() > most
    if not cut and response.length:  # http.client takes the end of a connection for that of the answer
        raise http.client.IncompleteRead(b"", response.length)
    found.truncate(most)
    return found.getvalue(), cut
