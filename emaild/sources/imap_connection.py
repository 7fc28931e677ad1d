"""imaplib over a connection from our own door, which may be compressed, and with room for a FETCH that runs ahead."""

from __future__ import annotations

import imaplib
import io
import socket
from collections.abc import Collection, Sequence

from emaild.net import steps
from emaild.net.connect import open_connection
from emaild.net.peer import Peer
from emaild.net.wire import Wire
from emaild.sources.imap_answers import BEGINNING, Answers
from emaild.sources.imap_deflate import Deflate, Inflated

LONGEST_LINE = 1_000_000  # octets, as imaplib has it
LONGEST_LITERAL = 4 << 30  # octets; that it ends at all
PIECE = 8 << 20  # octets for which memory is taken at once, however many a server says that it will send

imaplib.Commands["COMPRESS"] = ("AUTH",)  # imaplib refuses commands that it does not know


class Connection(imaplib.IMAP4):
    """One connection; whoever uses it knows what imaplib raises.

    `asked` is what was asked for by `ask` and is not answered to its end yet. Whoever waits for the answer to a later
    command reads those answers, too.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._inflated: io.BufferedReader | None = None
        self._deflate: Deflate | None = None
        self._unread: bytes | None = None
        self.asked: Answers | None = None
        super().__init__(peer.host, peer.port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        connection = open_connection(self._peer)
        steps.begin("greeting")
        return connection

    @property
    def reader(self) -> io.BufferedReader:
        """What imaplib reads from."""
        return self._inflated or vars(self).get("_file") or self.file  # type: ignore[return-value]

    def read(self, size: int) -> bytes:
        """So many octets; fewer where the connection broke."""
        if size > LONGEST_LITERAL:
            raise self.error(f"got more than {LONGEST_LITERAL} bytes")
        pieces = []
        while size and (piece := self.reader.read(min(size, PIECE))):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def readline(self) -> bytes:
        """A line with its end."""
        line = self.reader.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise self.error(f"got more than {LONGEST_LINE} bytes")
        return line

    def send(self, data: bytes) -> None:  # type: ignore[override]
        """All of it."""
        super().send(self._deflate(data) if self._deflate else data)

    def compress(self, level: int) -> None:
        """From now on all that is said is compressed, both ways; a trace shows what is meant."""
        trace = None
        if isinstance(self.sock, Wire):
            trace, self.sock.trace = self.sock.trace, None
        self._deflate = Deflate(level, trace)
        self._inflated = io.BufferedReader(Inflated(self.reader, trace))

    def ask(self, uids: Collection[int], items: Sequence[str], most: int) -> Answers:
        """Say UID FETCH, and do not wait: what is answered, *most* octets at most, is taken as it comes."""
        self.finish_asked()
        tag: bytes = self._command("UID", "FETCH", ",".join(map(str, uids)), f"({' '.join(items)})")
        self.asked = answers = Answers(tag, uids, items, most)
        return answers

    def finish_asked(self) -> None:
        """Read on until what was asked for is answered."""
        while self.asked is not None:
            self._check_bye()
            self._get_response()

    def line(self) -> bytes:
        """A line without its end."""
        if self._unread is not None:
            line, self._unread = self._unread, None
            return line
        line = self.readline()
        if not line.endswith(b"\r\n"):
            raise self.abort("socket error: unterminated line" if line else "socket error: EOF")
        return line[:-2]

    _get_line = line  # imaplib's own keeps a log of them

    def _get_response(self) -> bytes | None:
        """imaplib's, but for the answers to what was asked for by `ask`."""
        if (asked := self.asked) is None:
            return super()._get_response()  # type: ignore[misc,no-any-return]
        line = self.line()
        if begun := BEGINNING.match(line):
            asked.take(line, begun.end(), self)
            return line
        self._unread = line
        response: bytes | None = super()._get_response()  # type: ignore[misc]
        if self.tagged_commands.get(asked.tag):
            self.asked = None
            if not asked.is_wanted:
                del self.tagged_commands[asked.tag]
        return response
