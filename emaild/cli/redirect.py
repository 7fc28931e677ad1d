"""Where a browser comes back to after a sign-in: a port on loopback that is open for one answer (RFC 8252 §7.3).

It is open on both addresses that localhost may stand for, so that nobody else waits on the other one. Every page that a
browser shows can send requests here: what does not bring the state of this sign-in is none of ours.
"""

from __future__ import annotations

import contextlib
import errno
import hmac
import html
import selectors
import socket
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl

from emaild.errors import SignInFailed
from emaild.net.race import Deadline

LONGEST_REQUEST = 64 << 10  # octets; Microsoft's answers have some 2,000
MOST_CONNECTIONS = 32  # browsers open some that they do not use
SLOWEST_PAGE = 2.0  # seconds that a browser may take to accept a page
ADDRESSES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)  # a machine without IPv6
TRIES = 20  # ports that are free on one address and not on the other
NAMES = ("127.0.0.1", "localhost", "[::1]")
NOT_HERE = "There is nothing here. Go back to the page of the sign-in."

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>emaild</title></head>
<body style="font-family: sans-serif; margin: 4em"><h1>emaild</h1><p>{}</p></body>
</html>
"""
_HEAD = (
    "HTTP/1.1 {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n"
    "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n\r\n"
)


class Redirect:
    """The open port: `with Redirect() as redirect`. It is closed at the end, and takes one answer."""

    def __init__(self) -> None:
        """Listen at a free port.

        Raises:
            SignInFailed: there is none.
        """
        try:
            self._doors = _opened()
        except OSError as error:
            raise SignInFailed(f"no port of 127.0.0.1 can be opened for the browser: {error.strerror}") from error
        self.port: int = self._doors[0].getsockname()[1]
        self._begun: dict[socket.socket, bytearray] = {}
        self._answered: socket.socket | None = None

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the port and every connection."""
        for connection in (*self._doors, self._answered, *self._begun):
            if connection is not None:
                connection.close()

    def wait(self, seconds: float, state: str) -> dict[str, str]:
        """What the browser brings back with that state, by name; no further connection is taken after it.

        Raises:
            SignInFailed: nobody came in time.
        """
        deadline = Deadline(seconds)
        with selectors.DefaultSelector() as selector:
            for door in self._doors:
                selector.register(door, selectors.EVENT_READ)
            try:
                while True:
                    for key, _ in selector.select(deadline.left()):
                        ready = key.fileobj
                        assert isinstance(ready, socket.socket)
                        if ready in self._doors:
                            self._let_in(selector, ready)
                        elif ready in self._begun and (found := self._heard(selector, ready, state)) is not None:
                            return found
            except TimeoutError:
                raise SignInFailed(f"nobody signed in within {seconds:.0f} seconds; try again") from None
            finally:
                for door in self._doors:  # what was once answered cannot be answered again
                    door.close()

    def say(self, text: str) -> None:
        """Show the person in the browser what became of it. Never raises."""
        if self._answered is not None:
            _answer(self._answered, "200 OK", text)
            self._answered = None

    def _let_in(self, selector: selectors.BaseSelector, door: socket.socket) -> None:
        try:
            connection, _ = door.accept()
        except OSError:  # it went again (accept(2))
            return
        if len(self._begun) >= MOST_CONNECTIONS:
            oldest = next(iter(self._begun))
            self._forget(selector, oldest)
            oldest.close()
        connection.setblocking(False)
        self._begun[connection] = bytearray()
        selector.register(connection, selectors.EVENT_READ)

    def _forget(self, selector: selectors.BaseSelector, connection: socket.socket) -> bytearray:
        selector.unregister(connection)
        return self._begun.pop(connection)

    def _heard(self, selector: selectors.BaseSelector, connection: socket.socket, state: str) -> dict[str, str] | None:
        """What a request brings; None where it is not complete yet, or another than the one that is waited for."""
        try:
            piece = connection.recv(LONGEST_REQUEST)
        except OSError:
            piece = b""
        said = self._begun[connection]
        said += piece
        if piece and b"\r\n\r\n" not in said[-len(piece) - 3 :] and len(said) <= LONGEST_REQUEST:
            return None
        self._forget(selector, connection)
        found = _brought(bytes(said), self.port)
        if found is None or not hmac.compare_digest(found["state"].encode(), state.encode()):
            _answer(connection, "404 Not Found", NOT_HERE)
        else:
            self._answered = connection
            return found
        return None


def _opened() -> list[socket.socket]:
    """A port that is ours on all of the ADDRESSES that there are."""
    for left in reversed(range(TRIES)):
        with contextlib.ExitStack() as stack:
            doors: list[socket.socket] = []
            try:
                for family, address in ADDRESSES:
                    port = doors[0].getsockname()[1] if doors else 0
                    doors.append(stack.enter_context(socket.create_server((address, port), family=family)))
                    doors[-1].setblocking(False)
            except OSError as error:
                if error.errno == errno.EADDRINUSE and doors and left:
                    continue
                if not doors or error.errno not in NO_SUCH_ADDRESS:
                    raise
            stack.pop_all()
            return doors
    raise OSError(errno.EADDRINUSE, "every port is used by others")


def _brought(request: bytes, port: int) -> dict[str, str] | None:
    """The parameters of a request to us that ends a sign-in; None: it is another one."""
    line, _, header = request.decode("latin-1").partition("\r\n")
    method, _, rest = line.partition(" ")
    target, _, version = rest.partition(" ")
    if method != "GET" or not version.startswith("HTTP/1.") or not target.startswith("/?"):
        return None
    hosts = [field.partition(":")[2].strip() for field in header.split("\r\n") if field.lower().startswith("host:")]
    if [host.lower().removesuffix(f":{port}") in NAMES for host in hosts] != [True]:  # RFC 9112 §3.2
        return None
    try:
        found = dict(parse_qsl(target[2:], max_num_fields=50))
    except ValueError:
        return None
    return found if "state" in found and ("code" in found or "error" in found) else None


def _answer(connection: socket.socket, status: str, text: str) -> None:
    """A page with that text; never raises."""
    body = _PAGE.format(html.escape(text)).encode()
    with contextlib.suppress(OSError), connection:
        connection.settimeout(SLOWEST_PAGE)
        connection.sendall(_HEAD.format(status, len(body)).encode() + body)
        connection.shutdown(socket.SHUT_WR)
