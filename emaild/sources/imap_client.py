"""IMAPClient as emaild uses it: over our own door, without its traps, its exceptions told apart."""

from __future__ import annotations

import imaplib
import re
import socket

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, LoginError, ProtocolError

from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.net.connect import Peer, open_connection
from emaild.net.translate import network_meaning


class _Connection(imaplib.IMAP4):
    """imaplib with a connection from our own door."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        super().__init__(peer.host, peer.port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return open_connection(self._peer)


class Client(IMAPClient):  # type: ignore[misc]
    """IMAPClient over a connection from our own door; it has no parameter for that."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        timeout = SocketTimeout(peer.connect_timeout, peer.protocol_timeout)
        super().__init__(peer.host, peer.port, ssl=False, timeout=timeout)
        self.normalise_times = False

    def _create_IMAP4(self) -> imaplib.IMAP4:
        return _Connection(self._peer)

    def enter_idle(self) -> bool:
        """Send IDLE; whether the server agreed. IMAPClient's own `idle` fails if anything is said before the `+`."""
        self._idle_tag = self._imap._command("IDLE")
        while self._imap._get_response() is not None:
            if self._imap.tagged_commands[self._idle_tag]:
                del self._imap.tagged_commands[self._idle_tag]
                return False
        return True

    def told_of_mails(self) -> bool:
        """Whether the server named a new number of mails since this was last asked: IDLE would not repeat it."""
        return bool(self._imap.response("EXISTS")[1] != [None])

    def holds_unread_bytes(self) -> bool:
        """Whether something already lies in imaplib's read buffer, where no selector sees it."""
        connection = self.socket()
        reader = getattr(self._imap, "_file", None) or self._imap.file
        connection.setblocking(False)
        try:
            return bool(reader.peek(1))
        except OSError:  # nothing to read
            return False
        finally:
            connection.settimeout(self._peer.protocol_timeout)


def meaning(error: Exception) -> tuple[type[RemoteError], str]:
    """RFC 5530 names the answers that pass by themselves; imaplib calls a broken connection `abort`.

    What a server says out of turn may be a piece of a mail, so it is not repeated.
    """
    if isinstance(error, LoginError) and isinstance(error.__context__, IMAPClientError):
        return meaning(error.__context__)  # IMAPClient calls a broken connection a failed sign-in, too
    if isinstance(error, OSError):
        return network_meaning(error)
    reason = str(error).removeprefix("b'").rstrip("'")
    if isinstance(error, ProtocolError) or re.search("unexpected response|got more than", reason):
        return Unreachable, "what the server says is no IMAP"
    if isinstance(error, imaplib.IMAP4.readonly):  # of all things an `abort`
        return Rejected, "the server lets it be read only"
    if isinstance(error, imaplib.IMAP4.abort):
        broke = "EOF" in reason or "unterminated line" in reason
        return Unreachable, "the connection broke" if broke else reason
    if re.search(r"\[(UNAVAILABLE|INUSE|LIMIT)\]", reason) or reason.startswith("* BYE"):
        return Busy, reason  # as a greeting, BYE is for those who come at a bad time (RFC 3501 §7.1.5)
    return Rejected, reason
