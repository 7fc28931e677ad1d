"""What is said on a connection, line by line, for the log; never a password or a token."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from emaild.log import events
from emaild.net.peer import Peer
from emaild.settings.secret import MASK

LONGEST = 200  # characters of a line that are shown
KEPT = 4 * LONGEST  # bytes of a line that are looked at: UTF-8 has four a character at most

# With or without IMAP's tag before it; a mechanism is no secret, what follows it is.
_SECRET = re.compile(
    r"((?:\S+ )??(?:(?:AUTHENTICATE|AUTH)(?: [A-Z0-9_-]{1,20}(?= |$))?|LOGIN|PASS|APOP|XOAUTH2))(?: |$)", re.IGNORECASE
)
_FIELD = re.compile(r"((?:Proxy-)?Authorization: *[A-Za-z]+ )\S", re.IGNORECASE)  # RFC 9110 §11.6.2
_CONTINUED = re.compile(r"\+( |$)|334[ -]?")  # RFC 3501 §7.5, RFC 1734 §2; RFC 4954 §4
_UNASKED = re.compile(r"\* ")
_GO_AHEAD = "354"  # RFC 5321 §4.1.1.4: what follows is the mail


class Trace:
    """The log of one connection. A command in pieces is shown once its line has ended."""

    def __init__(self, peer: Peer) -> None:
        self._section, self._server = peer.section, str(peer)
        self._said = _Lines(self._show_sent)
        self._answered = _Lines(self._show_heard)
        self._secret = False  # what is sent next may be one, until the server has answered
        self._data_asked = False
        self._mail = False

    def sent(self, data: bytes) -> None:
        """Bytes that are sent, in whatever pieces."""
        self._said.feed(data)

    def heard(self, data: bytes) -> None:
        """Bytes that were received, in whatever pieces."""
        self._answered.feed(data)

    def _show_sent(self, line: str) -> None:
        events.protocol_sent(section=self._section, server=self._server, line=shown(self._masked(line)))

    def _masked(self, line: str) -> str:
        if self._mail:
            self._mail = line != "."
            return line
        if self._secret:
            return MASK
        if field := _FIELD.match(line):
            return f"{field[1]}{MASK}"
        self._data_asked = line.upper() == "DATA"
        found = _SECRET.match(line)
        if found is None:
            return line
        self._secret = True
        return f"{found[1]} {MASK}" if found.end() < len(line) else line

    def _show_heard(self, line: str) -> None:
        if _CONTINUED.match(line):
            self._secret = True
        elif not _UNASKED.match(line):
            self._secret = False
        if self._data_asked and line.startswith(_GO_AHEAD):  # not the first answer, where commands are pipelined
            self._mail, self._data_asked = True, False
        events.protocol_heard(section=self._section, server=self._server, line=shown(line))


class _Lines:
    """Gathers bytes to lines, each kept up to a length."""

    def __init__(self, ended: Callable[[str], None]) -> None:
        self._ended = ended
        self._begun = bytearray()

    def feed(self, data: bytes) -> None:
        *finished, rest = data.split(b"\n")
        for piece in finished:
            self._keep(piece)
            line, self._begun = bytes(self._begun), bytearray()
            self._ended(line.removesuffix(b"\r").decode("utf-8", "backslashreplace"))
        self._keep(rest)

    def _keep(self, piece: bytes) -> None:
        self._begun += piece[: max(0, KEPT - len(self._begun))]


def shown(line: str) -> str:
    """A line as the log may hold it: printable, and cut where it is long."""
    return "".join(_printable(line[:LONGEST])) + ("…" if len(line) > LONGEST else "")


def _printable(line: str) -> Iterator[str]:
    for character in line:
        yield character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
