"""A listening socket that plays a written dialog, to be the server that no real one would be."""

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.servers.authority import Authority
from tests.servers.ports import LOOPBACK

_LONGEST_SILENCE = 20.0


class Gone(Exception):
    """The client closed the connection, or the server was stopped."""


class Dialog:
    """The server's end of one connection, by lines. `number` counts from 1."""

    def __init__(self, connection: socket.socket, number: int, server: "Scripted") -> None:
        self.number = number
        self._server = server
        self._socket = connection
        self._lines = connection.makefile("rb")

    def send(self, *lines: str | bytes) -> None:
        """Send lines, each with CRLF after it; text is sent as UTF-8."""
        for line in lines:
            self.send_raw((line.encode() if isinstance(line, str) else line) + b"\r\n")

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are, in one piece."""
        self._server.note(self.number, "S", data)
        self._socket.sendall(data)

    def readline(self) -> bytes:
        """The next line without its line end.

        Raises:
            Gone: there is none, because the client closed the connection.
        """
        line = self._lines.readline()
        if not line:
            raise Gone
        self._server.note(self.number, "C", line)
        return line.rstrip(b"\r\n")

    def read_raw_line(self) -> bytes:
        """The next line with its line end, which is not noted in the transcript. Raises Gone as `readline`."""
        line = self._lines.readline()
        if not line:
            raise Gone
        return line

    def has_more(self) -> bool:
        """Whether more has come already than the lines that were read."""
        patience = self._socket.gettimeout()
        self._socket.setblocking(False)
        try:
            return bool(self._lines.peek(1))
        finally:
            self._socket.settimeout(patience)

    def narrow(self, size: int) -> None:
        """Let the system keep only about *size* bytes in each direction for this end, and send each piece at once."""
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self._socket.setsockopt(socket.SOL_SOCKET, option, size)

    def read(self, count: int) -> bytes:
        """So many bytes, or what came of them before the end."""
        return self._lines.read(count)

    def expect(self, pattern: str) -> re.Match[str]:
        """Read a line that must match the regular expression as a whole, in upper or lower case.

        Raises:
            AssertionError: it does not match. The server reports that when it is stopped.
        """
        line = self.readline().decode("utf-8", "surrogateescape")
        found = re.fullmatch(pattern, line, re.IGNORECASE)
        assert found, f"the client sent {line!r} where {pattern!r} was expected"
        return found

    def start_tls(self) -> None:
        """Begin TLS on this connection, after the protocol's own words for it."""
        self._lines.close()
        secured = self._server.secured(self._socket)
        self._socket = secured
        secured.do_handshake()
        self._lines = secured.makefile("rb")

    def wait_for_end(self) -> None:
        """Read and forget until the client closes the connection or the server is stopped."""
        while self._socket.recv(65536):
            pass

    def close(self) -> None:
        """Close the connection."""
        self.disturb()
        self._lines.close()
        self._socket.close()

    def reset(self) -> None:
        """End the connection with a TCP reset: the client gets ECONNRESET."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._lines.close()
        self._socket.close()

    def disturb(self) -> None:
        """End the connection under a thread that may be reading from it."""
        with contextlib.suppress(OSError):
            # Not SSLSocket's own shutdown, which would take the TLS state from the reading thread.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def silent(dialog: Dialog) -> None:
    """Accept, never say anything, and stay."""
    dialog.wait_for_end()


def hang_up(dialog: Dialog) -> None:
    """Close at once."""
    dialog.close()


class Scripted:
    """A server that plays *handler* with each connection: `with Scripted(handler) as server`.

    Each connection has a thread of its own, and is closed when the handler returns or the client was silent
    for 20 s. What the handler asserts in vain is raised at the end of the `with`; a client that goes early is
    no failure. `connections` counts; `transcript` has a line `NUMBER C: TEXT` or `NUMBER S: TEXT` for each
    piece said.
    """

    def __init__(
        self, handler: Callable[[Dialog], None], *, authority: Authority | None = None, tls: bool = False
    ) -> None:
        """Prepare the server; with *tls* the connections are TLS from the start.

        Args:
            handler: plays one connection.
            authority: whose certificate to show, for *tls* and `Dialog.start_tls`.
            tls: whether TLS comes before everything else.
        """
        self._handler = handler
        self._context = authority.server_context() if authority else None
        self._tls = tls
        self._lock = threading.Lock()
        self._dialogs: list[Dialog] = []
        self._threads: list[threading.Thread] = []
        self._failures: list[Exception] = []
        self._listener: socket.socket | None = None
        self.port = 0
        self.connections = 0
        self.transcript: list[str] = []

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server; raise what its handler found wrong, unless the test failed anyway."""
        failures = self.stop()
        if failures and kind is None:
            raise failures[0]

    def start(self) -> None:
        """Listen at a free port, `port`."""
        self._listener = socket.create_server((LOOPBACK, 0), backlog=1024)
        self.port = self._listener.getsockname()[1]
        self._run(self._accept, self._listener)

    def stop(self) -> list[Exception]:
        """Close every connection, end every thread, and return what the handler found wrong."""
        if self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._threads[0].join(_LONGEST_SILENCE)
            self._listener.close()
            self._listener = None
            for dialog in self._dialogs:
                dialog.disturb()
            for thread in self._threads:
                thread.join(_LONGEST_SILENCE)
                assert not thread.is_alive(), f"{thread.name} did not end"
        return self._failures

    def note(self, number: int, side: str, data: bytes) -> None:
        """Keep a piece of the dialog: the connection's number, C or S for the side, and the text."""
        with self._lock:
            self.transcript.append(f"{number} {side}: {data.decode('utf-8', 'backslashreplace').rstrip()}")

    def secured(self, connection: socket.socket) -> ssl.SSLSocket:
        """The connection, made ready for a TLS handshake with the authority's certificate."""
        assert self._context, "a scripted server needs an authority for TLS"
        return self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.settimeout(_LONGEST_SILENCE)
                self.connections += 1
                dialog = Dialog(connection, self.connections, self)
                self._dialogs.append(dialog)
                self._run(self._converse, dialog)

    def _run(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name=f"scripted-{len(self._threads)}")
        self._threads.append(thread)
        thread.start()

    def _converse(self, dialog: Dialog) -> None:
        try:
            with contextlib.closing(dialog):
                if self._tls:
                    dialog.start_tls()
                self._handler(dialog)
        except (Gone, OSError):
            return
        except Exception as error:  # noqa: BLE001 - whatever a test's handler raises is shown to the test
            self._failures.append(error)
