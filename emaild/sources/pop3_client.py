"""POP3 on the wire (RFC 1939), with CAPA and PIPELINING (RFC 2449) and STLS (RFC 2595 §4), over our own door."""

from __future__ import annotations

import collections
import contextlib
import re
import ssl
from collections.abc import Iterator, Sequence

from emaild.errors import Busy, Rejected, RemoteError
from emaild.net import steps
from emaild.net.connect import check_encrypted, open_connection
from emaild.net.peer import Peer
from emaild.net.refusals import OverLimit, explained, is_over_limit
from emaild.net.tls import client_context
from emaild.net.translate import network_meaning
from emaild.settings.properties import Pop3Properties
from emaild.settings.server import Security

CHUNK = 1 << 16
LONGEST_LINE = 1 << 16  # octets; RFC 2449 §4 allows 512 for an answer
LONGEST_LIST = 64 << 20  # octets of UIDL or LIST: some million mails
LONGEST_MAIL = 4 << 30  # octets; that the answer ends at all
NO_POP3 = "what the server says is no POP3"
SHOWN = 512  # characters of a refusal that are repeated


class Refused(Exception):
    """The server's `-ERR` and what follows it."""

    def __init__(self, answer: bytes | str) -> None:
        super().__init__(answer if isinstance(answer, str) else answer.decode("utf-8", "replace"))


def meaning(error: Exception) -> tuple[type[RemoteError], str]:
    """RFC 2449 §8.1.1, §8.1.2 and RFC 3206 §4 name the refusals that pass by themselves."""
    if isinstance(error, OSError):
        return network_meaning(error)
    reason = str(error)[:SHOWN]
    if is_over_limit(reason):
        return OverLimit, explained(reason)
    if re.search(r"\[(IN-USE|LOGIN-DELAY|SYS/TEMP)\]|mailbox.*(lock|in use|busy)", reason, re.IGNORECASE):
        return Busy, reason
    return Rejected, explained(reason)


class Client:
    """One connection, secured as the peer and the properties say, not yet signed in.

    `capabilities` is what CAPA said last, by name in capitals; None where it was not asked or not answered.
    All methods raise OSError where the connection breaks, or what is said there is no POP3.
    """

    def __init__(self, peer: Peer, properties: Pop3Properties) -> None:
        """Connect.

        Raises:
            OSError, Refused: no connection; no encryption, where that is required.
        """
        self.peer = peer
        self._properties = properties
        self._buffer = bytearray()
        self._ahead: tuple[Sequence[bytes], int] = (), 0
        self._connection = open_connection(peer)
        try:
            steps.begin("greeting")
            self.greeting = self._line()
            steps.tell(self.greeting.decode("utf-8", "replace"))
            if not self.greeting.startswith(b"+"):
                raise Refused(self.greeting)
            self.capabilities = self._ask_capabilities()
            self._start_tls()
        except BaseException:
            self.close()
            raise

    @property
    def encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return isinstance(self._connection, ssl.SSLSocket)

    @property
    def pipelining(self) -> bool:
        """Whether commands may be sent before their predecessors are answered (RFC 2449 §6.6)."""
        return self._properties.pipelining or "PIPELINING" in (self.capabilities or ())

    def check_encrypted(self) -> None:
        """To be called just before a secret is sent; raises Rejected where others could read it."""
        check_encrypted(self.peer, self._connection)

    def command(self, line: bytes) -> bytes:
        """Say it; the answer's first line, which begins with `+`.

        Raises:
            Refused: the server said `-ERR`. ValueError: a line end or NUL inside the line.
        """
        self._send(line)
        return self._status()

    def lines(self, line: bytes) -> list[bytes]:
        """Say it; the lines of the answer after its first. Raises as `command` does."""
        self.command(line)
        return self._body(LONGEST_LIST).split(b"\r\n")[:-1]

    def beginning(self, line: bytes, most: int) -> bytes:
        """Say it; the first *most* octets of the mail that answers, however large that is. Raises as `command` does."""
        self.command(line)
        kept = bytearray()
        read = 0
        self._buffer[:0] = b"\r\n"  # as in _body
        while (end := self._buffer.find(b"\r\n.\r\n")) < 0:
            done = max(0, len(self._buffer) - 4)  # the rest may be a piece of the end
            kept += self._buffer[: min(done, most + 2 - len(kept))]
            del self._buffer[:done]
            read += done
            if read > LONGEST_MAIL:
                raise ConnectionError("the answer is too long")
            self._receive()
        kept += self._buffer[: min(end + 2, most + 2 - len(kept))]
        del self._buffer[: end + 5]
        return _undotted(bytes(kept[2:]))

    def each(
        self, commands: Sequence[bytes], *, mails: int | None = None, together: bool = True
    ) -> Iterator[bytes | Refused]:
        """Say commands; their answers in order, the refused ones too.

        Where the server can pipeline, and they may go `together`, all of them are sent first: so they must be short
        enough for the buffers of two sockets, for the server may read the next one only after we took its answer.
        Either all answers are taken or the connection is closed. With *mails* each answer is a mail, and all of them
        may have that many octets.
        """
        ahead = together and self.pipelining
        if ahead and commands == self._ahead[0]:
            self._ahead = (), 0
        elif ahead:
            self._send(*commands)
        for line in commands:
            if not ahead:
                self._send(line)
            try:
                answer = self._status()
            except Refused as refused:
                yield refused
                continue
            if mails is not None:
                answer = self._body(mails)
                mails -= len(answer)
            yield answer

    def ahead(self, commands: Sequence[bytes], mails: int) -> None:
        """Say now what `each` is to be given next, where the server can pipeline; *mails* is what it will be given.

        If something else is said before that, the answers are read and forgotten.
        """
        if self.pipelining:
            self._send(*commands)
            self._ahead = commands, mails

    def close(self) -> None:
        """Drop the connection; never raises."""
        with contextlib.suppress(OSError):
            self._connection.close()

    # Beginning

    def _ask_capabilities(self) -> dict[str, tuple[str, ...]] | None:
        if self._properties.disablecapa:
            return None
        try:
            lines = self.lines(b"CAPA")
        except Refused:
            return None
        words = (line.decode("ascii", "replace").upper().split() for line in lines)
        return {word[0]: tuple(word[1:]) for word in words if word}

    def _start_tls(self) -> None:
        """STLS where it is required, or wished for and not known to be missing."""
        required = self.peer.security is Security.START_TLS
        if not (required or self.peer.starttls_if_offered):
            return
        offered = None if self.capabilities is None else "STLS" in self.capabilities
        if offered is False:
            if required:
                raise Refused("the server does not offer STLS")
            return
        try:
            steps.begin("STARTTLS")
            self.command(b"STLS")
        except Refused:
            if required or offered:
                raise
            return
        if self._buffer:  # someone put words into the server's mouth, to be taken for said inside TLS
            raise ConnectionError("the server spoke on before TLS began")
        self._connection = client_context(self.peer).wrap_socket(self._connection, server_hostname=self.peer.host)
        self.capabilities = self._ask_capabilities()  # RFC 2595 §4: what was known before must be forgotten

    # Reading and writing

    def _send(self, *lines: bytes) -> None:
        if any(re.search(rb"[\r\n\0]", line) for line in lines):
            raise ValueError("a name or password with a line end cannot be said in POP3")
        commands, mails = self._ahead
        if commands:
            collections.deque(self.each(commands, mails=mails), maxlen=0)
        if self._buffer:  # the rest of an answer would be taken for the next one, and a mail for another
            raise ConnectionError(NO_POP3)
        self._connection.sendall(b"".join(line + b"\r\n" for line in lines))

    def _status(self) -> bytes:
        line = self._line()
        if line.startswith(b"-"):
            raise Refused(line)
        if not line.startswith(b"+"):  # what it is may be a piece of a mail, so it is not repeated
            raise ConnectionError(NO_POP3)
        return line

    def _line(self) -> bytes:
        """A line without its end."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > LONGEST_LINE:
                raise ConnectionError("line too long")
            self._receive()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    def _body(self, most: int) -> bytes:
        """What follows an answer's first line, up to the line of one dot, with the doubled dots single (RFC 1939 §3).

        That is searched for in whole chunks, which is many times as fast as line by line.
        """
        searched = 0
        self._buffer[:0] = b"\r\n"  # the end of the first line, so that every line begins after one
        while (end := self._buffer.find(b"\r\n.\r\n", searched)) < 0:
            searched = max(0, len(self._buffer) - 4)
            if searched > most:
                raise ConnectionError("the answer is too long")
            self._receive()
        with memoryview(self._buffer) as view:
            body = bytes(view[2 : end + 2])
        del self._buffer[: end + 5]
        return _undotted(body)

    def _receive(self) -> None:
        chunk = self._connection.recv(CHUNK)
        if not chunk:
            raise ConnectionError("the connection broke")
        self._buffer += chunk


def _undotted(body: bytes) -> bytes:
    """With the doubled dots single. Dovecot 2.3 does not double one on the first line: a single one is left alone."""
    return body[body.startswith(b"..") :].replace(b"\r\n..", b"\r\n.")
