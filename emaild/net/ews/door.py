"""requests over connections of ours, so that proxies and the TLS options count, with a bound on every answer."""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable, Iterator
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

from emaild.errors import RemoteError, Unreachable
from emaild.net import steps
from emaild.net.connect import open_connection
from emaild.net.http import CHUNKED, LEAST_RATE, LONGEST_HEAD, BoundedSocket
from emaild.net.peer import Peer
from emaild.net.tls import spoken
from emaild.net.translate import network_meaning, translated

PIECE = 64 << 10  # bytes that are read at once
SMALL_ANSWER = 8 << 20  # bytes; what has no mail in it, but up to 512 changes
BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)


class TooLong(Unreachable):
    """An answer had more bytes than it may have; asked for again it will be no shorter."""


class Door(HTTPAdapter):
    """One connection to *peer*, kept. `most` is how many bytes an answer may have; one that is no 200 has few.

    Question, head and body may each take the peer's protocol_timeout, and longer at LEAST_RATE or more.
    """

    def __init__(self, peer: Peer) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1, pool_block=True, max_retries=0)
        self.most = SMALL_ANSWER
        self.connection: BoundedSocket | None = None
        self.tls = ""  # version and cipher of the newest connection
        self._peer = peer
        self._pool = self._new_pool()

    def _new_pool(self) -> urllib3.HTTPConnectionPool:
        pool = urllib3.HTTPConnectionPool(self._peer.host, self._peer.port, maxsize=1, block=True, retries=False)
        pool.ConnectionCls = self._opened  # type: ignore[assignment]
        return pool

    def _opened(self, **given: Any) -> HTTPConnection:
        return _Connection(self, self._peer, **given)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> urllib3.HTTPConnectionPool:
        """Whatever is asked for goes there; TLS is spoken by the connection itself."""
        return self._pool

    def send(self, request: requests.PreparedRequest, *arguments: Any, **named: Any) -> requests.Response:
        """As the library's own.

        Raises:
            RemoteError: no connection, or it broke; also later, while the answer is read.
        """
        named["timeout"] = None  # the connection has its own
        if self.connection is not None:
            self.connection.begin(LONGEST_HEAD)
        with translated(str(self._peer), "ask", _meaning, *BROKEN):
            response = super().send(request, *arguments, **named)
        most = self.most if response.status_code == requests.codes.ok else min(self.most, SMALL_ANSWER)
        if self.connection is not None:
            self.connection.begin(most * CHUNKED + LONGEST_HEAD)
        response.raw.stream = self._bounded(response.raw, most)
        return response

    def _bounded(self, raw: Any, most: int) -> Callable[..., Iterator[bytes]]:
        stream = raw.stream

        def pieces(*arguments: Any, **named: Any) -> Iterator[bytes]:
            total = 0
            with translated(str(self._peer), "read the answer", _meaning, *BROKEN):
                try:
                    for piece in stream(*arguments, **named):
                        total += len(piece)
                        if total > most:
                            where, reason = str(self._peer), f"it has more than {most} bytes"
                            raise TooLong(where, "read the answer", reason)
                        yield piece
                except BaseException:
                    raw.close()  # what is half read cannot be used again
                    raise

        return pieces

    def close(self) -> None:
        """Drop the connection; the next request makes another."""
        self.connection = None
        self._pool.close()
        self._pool = self._new_pool()


class _Connection(HTTPConnection):
    """A connection that our own door opens."""

    def __init__(self, door: Door, peer: Peer, **given: Any) -> None:
        super().__init__(**given)
        self._door = door
        self._peer = peer

    def _new_conn(self) -> Any:
        with translated(str(self._peer), "connect", _meaning, OSError):
            connection = open_connection(self._peer)
        self._door.tls = spoken(connection)
        self._door.connection = _Socket(connection, self._peer.protocol_timeout, LEAST_RATE)
        steps.begin("request")
        return self._door.connection

    def getresponse(self) -> Any:
        """The question is out, however long that took."""
        self.sock.begin(LONGEST_HEAD)  # type: ignore[union-attr]
        return super().getresponse()


class _Socket(BoundedSocket):
    def makefile(self, mode: str) -> io.BufferedReader:
        """requests_ntlm looks below it for the certificate that NTLM is bound to (RFC 5929 §4)."""
        reader = super().makefile(mode)
        reader.raw._sock = self.connection  # type: ignore[attr-defined]
        return reader


def _meaning(error: Exception) -> tuple[type[RemoteError], str]:
    """The network's own word lies at the bottom of what the libraries wrap around it."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and not isinstance(inner, requests.RequestException):
            return network_meaning(inner)
        inner = inner.__cause__ or inner.__context__
    if isinstance(error, requests.Timeout):
        return Unreachable, "no answer in time"
    return Unreachable, "the connection broke before the answer was whole"
