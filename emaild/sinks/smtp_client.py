"""A connection to an SMTP server (RFC 5321): smtplib opens it, and we write and read on it ourselves."""

from __future__ import annotations

import contextlib
import select
import smtplib
import socket
import ssl
from functools import cache
from typing import Any

from emaild.net import steps
from emaild.net.connect import open_connection
from emaild.net.peer import Peer
from emaild.net.tls import spoken
from emaild.settings.properties import SmtpProperties
from emaild.sinks.smtp_replies import DISCONNECTED, Answer, Replies, words

LIBRARY = (OSError, smtplib.SMTPException, ValueError)
TOLD = ("STARTTLS", "AUTH", "SIZE", "PIPELINING", "8BITMIME", "SMTPUTF8", "DSN")
"""The extensions that matter to us."""
FAREWELL = 2.0  # seconds to wait for the answer to QUIT
PIECE = 256 << 10  # bytes written at once: each piece has the protocol timeout


class SmtpClient(smtplib.SMTP):
    """smtplib with a connection from our own door, whose answers are read within bounds."""

    def __init__(self, peer: Peer, properties: SmtpProperties) -> None:
        """Connect and read the greeting.

        Raises:
            OSError, smtplib.SMTPException: no connection, or a greeting that turns us away.
        """
        self.peer = peer
        self._properties = properties
        name = properties.localhost or _own_name()
        super().__init__(peer.host, peer.port, local_hostname=name, timeout=peer.protocol_timeout)

    @property
    def connection(self) -> socket.socket:
        """The socket.

        Raises:
            smtplib.SMTPServerDisconnected: it is closed.
        """
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection broke")
        return self.sock

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = open_connection(self.peer)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a dot must not wait for an acknowledgement
        steps.begin("greeting")
        return connection

    def connect(self, host: str = "", port: int = 0, source_address: Any = None) -> Answer:
        answer = super().connect(host, port, source_address)
        steps.tell(words(answer))
        if answer[0] >= 400 and self._properties.quitonsessionreject:
            self.leave(wait=True)
        return answer

    def getreply(self) -> Answer:
        if self.file is None:  # smtplib forgets it, and so what was said before TLS, when STARTTLS succeeds
            self.file = Replies(self.connection)
        try:
            return self.file.next()
        except OSError as error:
            self.close()
            if isinstance(error, smtplib.SMTPServerDisconnected):
                raise
            late = isinstance(error, TimeoutError)
            told = "the server's answer timed out" if late else f"the connection broke: {error.strerror or error}"
            raise smtplib.SMTPServerDisconnected(told) from error

    def greet(self) -> None:
        """EHLO, or HELO where a server or an operator wants no more."""
        steps.begin("EHLO")
        if self._properties.ehlo:
            self.ehlo_or_helo_if_needed()
            if steps.is_heard():
                steps.tell(" ".join(filter(None, map(self._offered, TOLD))) or "no extensions")
            return
        code, text = self.helo()
        if code // 100 != 2:
            raise smtplib.SMTPHeloError(code, text)

    def _offered(self, extension: str) -> str:
        return f"{extension} {self.esmtp_features[extension.lower()]}".strip() if self.has_extn(extension) else ""

    @property
    def tls(self) -> str:
        """The version and the cipher of the connection, empty without TLS."""
        return spoken(self.sock)

    def write(self, data: bytes, *, more: bool = False) -> bool:
        """Whether the system took all of it. Where not, an answer may be there that says why.

        *more* will follow soon: the system may keep the end back for up to 200 ms, to send it in one packet with that.
        """
        flags = socket.MSG_MORE if more and not isinstance(self.sock, ssl.SSLSocket) else 0
        try:
            with memoryview(data) as view:
                for start in range(0, len(data), PIECE):
                    self.connection.sendall(view[start : start + PIECE], flags)
        except TimeoutError:
            self.close()
        except (OSError, smtplib.SMTPException):
            return False
        return self.sock is not None

    def answer(self) -> Answer:
        """The next answer; DISCONNECTED where there is none."""
        try:
            return self.getreply()
        except (OSError, smtplib.SMTPException):
            return DISCONNECTED

    def ask(self, command: bytes) -> Answer:
        """The answer to one command, given without its line end."""
        self.write(command + b"\r\n")
        return self.answer()

    def has_said_something(self) -> bool:
        """Whether something is there to be read, be it only the end."""
        if self.sock is None or (self.file is not None and self.file.pending):
            return True
        poll = select.poll()  # unlike select() it takes descriptors above 1,023
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))

    def leave(self, *, wait: bool) -> None:
        """QUIT and close; *wait* for its answer, though not for long. Never raises."""
        with contextlib.suppress(*LIBRARY):
            self.connection.settimeout(FAREWELL)
            self.putcmd("quit")
            if wait:
                self.getreply()
        self.close()


@cache
def _own_name() -> str:
    """Our name for EHLO, looked up once: a slow name server must not slow every connection."""
    return socket.getfqdn()
