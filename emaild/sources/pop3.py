"""POP3 mailboxes (RFC 1939, STLS RFC 2595), over the standard library's poplib.

A key is the mail's UIDL (§7), which names it for as long as it is there. The mailbox is locked for others while we
are connected (§4), so a turn is one short session.
"""

from __future__ import annotations

import contextlib
import poplib
import re
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.log import events
from emaild.message import Inbound
from emaild.net.connect import Peer, open_connection
from emaild.net.translate import network_meaning, translated
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxSection, Security
from emaild.sources import Listing, Wait

LONGEST_LINE = 64 << 20  # octets; poplib's own 2,048 refuses real mails, yet a server must not fill our memory
BATCH_MAILS = 50
BATCH_BYTES = 8 << 20
CONTACTED = "contacted"  # a cursor needs no more: the keys tell what is new


class _Pop3(poplib.POP3):
    """poplib with a connection from our own door."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        try:
            super().__init__(peer.host, peer.port, peer.protocol_timeout)
        except BaseException:
            with contextlib.suppress(OSError, AttributeError):
                self.close()
            raise

    def _create_socket(self, timeout: float) -> socket.socket:
        return open_connection(self._peer)

    def _getline(self) -> tuple[bytes, int]:
        """A line without its end. poplib's own refuses long ones, and takes the torn half of `..` for a final dot."""
        line: bytes = self.file.readline(LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise poplib.error_proto("line too long" if len(line) == LONGEST_LINE else "-ERR EOF")
        return line.removesuffix(b"\n").removesuffix(b"\r"), len(line)


def _meaning(error: Exception) -> tuple[type[RemoteError], str]:
    """poplib tells a broken connection as if the server had refused; the text tells them apart."""
    if isinstance(error, OSError):
        return network_meaning(error)
    reason = _words(error)
    if reason in ("-ERR EOF", "line too long"):
        return Unreachable, "the connection broke" if reason == "-ERR EOF" else reason
    # RFC 2449 §8.1.1, §8.1.2 and RFC 3206 §4 name what passes by itself.
    if re.search(r"\[(IN-USE|LOGIN-DELAY|SYS/TEMP)\]|mailbox.*(lock|in use|busy)", reason, re.IGNORECASE):
        return Busy, reason
    return Rejected, reason


def _words(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)


class Pop3:
    """One POP3 mailbox."""

    def __init__(self, section: MailboxSection, peer: Peer) -> None:
        self._section = section
        self._peer = peer
        self._pop: poplib.POP3 | None = None
        self._numbers: dict[str, int] = {}

    def open(self) -> None:
        """Connect, secure and sign in."""
        with self._translated("connect"):
            pop = self._pop = _Pop3(self._peer)
            if self._peer.security is Security.START_TLS:
                pop.stls(self._peer.tls())
        with self._translated("sign in"):
            pop.user(self._section.mailbox)
            pop.pass_(self._section.password.reveal())

    def look(self, cursor: str | None) -> Listing:
        """List by UIDL. A server without it cannot be read, for nothing else names a mail for good."""
        with self._translated("list by UIDL"):
            lines = self._connected().uidl()[1]
            # ASCII by §7; where it is not, Latin-1 keeps two different ones different.
            listed = [line.decode("latin-1").split(" ", 1) for line in lines]
        self._numbers = {key: int(number) for number, key in listed}
        keys = tuple(self._numbers)
        first = cursor is None
        skip = first and self._section.first is FirstFetch.NEW
        return Listing(
            keys=() if skip else keys,
            skipped=keys if skip else (),
            cursor=CONTACTED,
            cursor_when_done=CONTACTED,
            held=len(keys),
            first_contact=first,
        )

    def before(self, day: datetime, keys: Sequence[str]) -> frozenset[str]:
        """By the date of the topmost Received line, which the mailbox's own server wrote; else by Date."""
        return frozenset(key for key in keys if (when := self._arrival(key)) is not None and when < day)

    def _arrival(self, key: str) -> datetime | None:
        """None where the server will not show the header: then `fetch` has its say."""
        try:
            with self._translated("fetch header"):
                return arrival(b"\n".join(self._connected().top(self._numbers[key], 0)[1]))
        except Rejected:
            return None

    def fetch(self, keys: Sequence[str]) -> Iterator[list[Inbound]]:
        """RETR, a batch at a time; a mail that the server refuses is left out and told of.

        What came before a connection broke is given first.
        """
        batch: list[Inbound] = []
        size = 0
        for key in keys:
            if key not in self._numbers:
                continue
            try:
                inbound = self._retrieve(key)
            except RemoteError:
                if batch:
                    yield batch
                raise
            if inbound is None:
                continue
            batch.append(inbound)
            size += len(inbound.raw)
            if len(batch) >= BATCH_MAILS or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _retrieve(self, key: str) -> Inbound | None:
        try:
            with self._translated("fetch"):
                lines = self._connected().retr(self._numbers[key])[1]
        except Rejected as error:
            events.mail_refused(section=self._section.name, key=key, reason=error.reason)
            return None
        raw = b"\r\n".join([*lines, b""])
        return Inbound(key=key, raw=raw, received=arrival(raw))

    def acknowledge(self, keys: Sequence[str]) -> None:
        """DELE where the section says so; the server does it at QUIT (§6)."""
        if self._section.after is not AfterFetch.DELETE:
            return
        with self._translated("delete"):
            for key in keys:
                if key in self._numbers:  # a second DELE would be an error (§5)
                    self._connected().dele(self._numbers.pop(key))

    def finish(self) -> None:
        """QUIT, which is what makes deletions happen."""
        with self._translated("quit"):
            self._connected().quit()
        self._pop = None

    def wait(self) -> Wait:
        """POP3 cannot tell of new mail: by time."""
        return Wait(self._section.cycle_time)

    def close(self) -> None:
        """Drop the connection without QUIT: nothing is deleted."""
        pop, self._pop = self._pop, None
        if pop is not None:
            with contextlib.suppress(OSError):
                pop.close()

    def _connected(self) -> poplib.POP3:
        if self._pop is None:
            raise poplib.error_proto("-ERR EOF")
        return self._pop

    @contextlib.contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        try:
            with translated(str(self._peer), action, _meaning, OSError, poplib.error_proto, ValueError):
                yield
        except RemoteError as error:
            if not (isinstance(error, Rejected) and action.startswith("fetch")):
                self.close()
            raise


def arrival(raw: bytes) -> datetime | None:
    """When a mail arrived, by the topmost Received line (RFC 5321 §4.4: the date follows the last semicolon)."""
    header = re.split(rb"\r?\n\r?\n", raw[: 64 << 10], maxsplit=1)[0]
    unfolded = re.sub(rb"\r?\n[ \t]+", b" ", header)
    found = re.search(rb"^Received:.*;([^;\r\n]+)", unfolded, re.IGNORECASE | re.MULTILINE) or re.search(
        rb"^Date:([^\r\n]+)", unfolded, re.IGNORECASE | re.MULTILINE
    )
    if found is None:
        return None
    try:
        when = parsedate_to_datetime(found[1].decode("ascii", "replace").strip())
    except (ValueError, TypeError, OverflowError):
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
