"""IMAPClient as emaild uses it: over our own door, without its traps, its exceptions told apart."""

from __future__ import annotations

import base64
import imaplib
import re
from collections import deque
from collections.abc import Sequence
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, LoginError, ProtocolError

from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.net.peer import Peer
from emaild.net.refusals import OverLimit, explained, is_over_limit
from emaild.net.sasl import Mechanism
from emaild.net.translate import network_meaning
from emaild.sources.imap_answers import Answers, Items
from emaild.sources.imap_connection import Connection

SPECIAL_USES = frozenset(rb"\all \archive \drafts \flagged \important \junk \sent \trash".split())
"""RFC 6154 §2 and RFC 8457 §3, in small letters."""


class _Answers:
    """A mechanism as imaplib asks it: challenges and responses in base64."""

    def __init__(self, mechanism: Mechanism) -> None:
        self._mechanism = mechanism

    def answer(self, challenge: bytes) -> bytes:
        return base64.b64encode(self._mechanism.respond(base64.b64decode(challenge)))


class Client(IMAPClient):  # type: ignore[misc]
    """IMAPClient over a connection from our own door; it has no parameter for that."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        timeout = SocketTimeout(peer.connect_timeout, peer.protocol_timeout)
        super().__init__(peer.host, peer.port, ssl=False, timeout=timeout)
        self._imap.debug = 0  # IMAPClient would have every mail written down for a log that nobody keeps
        self.normalise_times = False
        self._special_folders: dict[bytes, str] = {}
        self._told: deque[tuple[str, bytes]] = deque()  # commands and their tags

    def _create_IMAP4(self) -> imaplib.IMAP4:
        return Connection(self.peer)

    @property
    def is_signed_in(self) -> bool:
        """Whether no sign-in is to be done: before any, that the server greeted us with PREAUTH (RFC 9051 §7.1.4)."""
        return bool(self._imap.state != "NONAUTH")

    def authenticate(self, mechanism: Mechanism) -> None:
        """AUTHENTICATE; the first response goes along with it where the server has SASL-IR (RFC 4959)."""
        initial = []
        if mechanism.client_first and self.has_capability("SASL-IR"):
            initial = [base64.b64encode(mechanism.respond(None)) or b"="]
        self._imap.literal = _Answers(mechanism).answer
        kind, data = self._imap._simple_command("AUTHENTICATE", mechanism.name, *initial)
        if kind != "OK":
            raise IMAPClientError(data[-1].decode("utf-8", "replace"))
        self._imap.state = "AUTH"

    def proxyauth(self, user: str) -> None:
        """PROXYAUTH, by which an administrator acts as *user*, who may have other capabilities."""
        self._command_and_check("proxyauth", self._imap._quote(user))
        self._imap.response("CAPABILITY")
        self._cached_capabilities = None

    def referral(self) -> str:
        """The URL of the server that the sign-in was answered with (RFC 2221), or nothing."""
        (url,) = self._imap.response("REFERRAL")[1][-1:]
        return url.decode("ascii", "replace") if url else ""

    def compress(self, level: int) -> None:
        """COMPRESS DEFLATE (RFC 4978). A server that says NO has its reasons, and is spoken to as before."""
        if self._imap._simple_command("COMPRESS", "DEFLATE")[0] == "OK":
            self._imap.compress(level)

    def ask(self, uids: Sequence[int], items: Sequence[str], most: int) -> Answers:
        """Say UID FETCH, and do not wait for `answered`; other commands may be said before that.

        More than *most* octets in answer to it end the connection.
        """
        asked: Answers = self._imap.ask(uids, items, most)
        return asked

    def forget(self, asked: Answers) -> None:
        """Nobody waits for `answered`; the connection goes on as if it had not been asked for."""
        asked.forget()
        if self._imap.asked is not asked:
            self._imap.tagged_commands.pop(asked.tag, None)

    def answered(self, asked: Answers) -> dict[int, Items]:
        """What is answered to that, once all of it has come."""
        kind, data = self._imap._command_complete("FETCH", asked.tag)
        self._imap.untagged_responses.pop("FETCH", None)  # news of mails, which would never be asked for
        self._checkok("fetch", kind, data)
        return asked.found

    def tell(self, uids: Sequence[int], command: str, *arguments: str) -> None:
        """Say a UID command for these mails, and do not wait for `heard`; other commands may be said before that."""
        tag = self._imap._command("UID", command, ",".join(map(str, uids)), *arguments)
        self._told.append((command, tag))

    def heard(self) -> None:
        """Wait until all that was told is answered.

        Raises:
            IMAPClientError: the server did not do it.
        """
        while self._told:
            command, tag = self._told.popleft()
            kind, data = self._imap._command_complete(command, tag)
            self._checkok(command, kind, data)

    def fetch(self, *arguments: Any) -> Any:
        """IMAPClient's own, which must not take the answers to `ask` for its own."""
        self._imap.finish_asked()
        return super().fetch(*arguments)

    def enter_idle(self) -> bool:
        """Send IDLE; whether the server agreed. IMAPClient's own `idle` fails if anything is said before the `+`."""
        self._idle_tag = self._imap._command("IDLE")
        while self._imap._get_response() is not None:
            if self._imap.tagged_commands[self._idle_tag]:
                del self._imap.tagged_commands[self._idle_tag]
                return False
        return True

    def special_folder(self, use: str) -> str:
        """The folder that has this special use, `\\All` or another of RFC 6154 §2; asked for once a connection.

        Raises:
            IMAPClientError: there is none.
        """
        if not self._special_folders:
            wanted = ["RETURN", "(SPECIAL-USE)"] if self.has_capability("LIST-EXTENDED") else []
            kind, data = self._imap._simple_command("LIST", '""', '"*"', *wanted)
            self._checkok("list", kind, data)
            listed = self._proc_folder_list(self._imap._untagged_response(kind, data, "LIST")[1])
            told = ((flag, name) for flags, _, name in listed if isinstance(flags, tuple) for flag in flags)
            self._special_folders = {
                flag.lower(): name for flag, name in told if isinstance(flag, bytes) and flag.lower() in SPECIAL_USES
            }
        found = self._special_folders.get(use.lower().encode("utf-8", "replace"))
        if found is None:
            raise IMAPClientError(f"the server has no folder whose special use is {use}")
        return found

    def told_of_mails(self) -> bool:
        """Whether the server named a new number of mails since this was last asked: IDLE would not repeat it."""
        return bool(self._imap.response("EXISTS")[1] != [None])

    def holds_unread_bytes(self) -> bool:
        """Whether something already lies in a read buffer, where no selector sees it."""
        connection = self.socket()
        connection.setblocking(False)
        try:
            return bool(self._imap.reader.peek(1))
        except OSError:  # nothing to read
            return False
        finally:
            connection.settimeout(self.peer.protocol_timeout)


def meaning(error: Exception) -> tuple[type[RemoteError], str]:
    """RFC 5530 names the answers that pass by themselves; imaplib calls a broken connection `abort`.

    What a server says out of turn may be a piece of a mail, so it is not repeated.
    """
    if isinstance(error, LoginError) and isinstance(error.__context__, IMAPClientError):
        return meaning(error.__context__)  # IMAPClient calls a broken connection a failed sign-in, too
    if isinstance(error, OSError):
        return network_meaning(error)
    reason = str(error).removeprefix("b'").rstrip("'")
    if "authenticated but not connected" in reason:  # Exchange's words
        return Rejected, f"{reason}; who signed in may not open this mailbox: give them the right to, or sign in anew"
    if isinstance(error, ProtocolError) or re.search("unexpected response|got more than", reason):
        return Unreachable, "what the server says is no IMAP"
    if is_over_limit(reason):
        return OverLimit, explained(reason)
    if isinstance(error, imaplib.IMAP4.readonly):  # of all things an `abort`
        return Rejected, "the server lets it be read only"
    if isinstance(error, imaplib.IMAP4.abort):
        broke = "EOF" in reason or "unterminated line" in reason
        return Unreachable, "the connection broke" if broke else reason
    # Gmail has words of its own for LIMIT.
    passes = r"\[(UNAVAILABLE|INUSE|LIMIT)\]|too many (simultaneous )?connections"
    if re.search(passes, reason, re.IGNORECASE) or reason.startswith("* BYE"):
        return Busy, explained(reason)  # as a greeting, BYE is for those who come at a bad time (RFC 3501 §7.1.5)
    return Rejected, explained(reason)
