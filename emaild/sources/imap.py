"""IMAP mailboxes (RFC 3501), over IMAPClient.

A key is `UIDVALIDITY/UID`, which names a mail of a folder for good (§2.3.1.1). What is new is told by UIDs, not by
\\Seen, so a mail that a person read first is not missed. The connection is kept between turns, in IDLE (RFC 2177)
where the server can.
"""

from __future__ import annotations

import contextlib
import imaplib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientError, LoginError, ProtocolError

from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.log import events
from emaild.message import Inbound
from emaild.net.connect import Peer, open_connection
from emaild.net.translate import network_meaning, translated
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxSection, Security
from emaild.sources import Listing, Wait

BATCH_MAILS = 50
BATCH_BYTES = 8 << 20
COMMAND_UIDS = 500  # UIDs named in one command: some 4 KB, below the 8,000 octets of RFC 2683 §3.2.1.5
SEARCH_WINDOW = 10_000  # mails searched at once: imaplib refuses lines above 1,000,000 octets
BODY = "BODY.PEEK[]"
SPOKE_AT_ONCE = 0.2  # seconds: below what a person notices, above what a chatty server could make a busy loop of


class _Connection(imaplib.IMAP4):
    """imaplib with a connection from our own door."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        super().__init__(peer.host, peer.port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return open_connection(self._peer)


class _Client(IMAPClient):  # type: ignore[misc]
    """IMAPClient over a connection from our own door; it has no parameter for that."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        timeout = SocketTimeout(peer.connect_timeout, peer.protocol_timeout)
        super().__init__(peer.host, peer.port, ssl=False, timeout=timeout)
        self.normalise_times = False

    def _create_IMAP4(self) -> imaplib.IMAP4:
        return _Connection(self._peer)

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


@dataclass(frozen=True)
class _Cursor:
    """Where reading a folder stands: UIDs from `floor` on are looked at; below it only the unseen while `backlog`."""

    validity: int
    floor: int
    backlog: bool

    def __str__(self) -> str:
        return f"{self.validity} {self.floor} {int(self.backlog)}"

    @classmethod
    def parse(cls, text: str) -> _Cursor:
        validity, floor, backlog = map(int, text.split())
        return cls(validity, floor, bool(backlog))


def _meaning(error: Exception) -> tuple[type[RemoteError], str]:
    """RFC 5530 names the answers that pass by themselves; imaplib calls a broken connection `abort`."""
    reason = str(error).removeprefix("b'").rstrip("'")
    if isinstance(error, imaplib.IMAP4.abort):
        return Unreachable, "the connection broke" if "EOF" in reason else reason
    if isinstance(error, OSError):
        return network_meaning(error)
    if "[UNAVAILABLE]" in reason or "[INUSE]" in reason or "[LIMIT]" in reason:
        return Busy, reason
    if isinstance(error, ProtocolError):
        return Unreachable, reason
    return Rejected, reason


class Imap:
    """One folder of an IMAP account."""

    def __init__(self, section: MailboxSection, peer: Peer) -> None:
        self._section = section
        self._peer = peer
        self._client: _Client | None = None
        self._idling = False
        self._validity = 0

    # One turn

    def open(self) -> None:
        """Connect, secure, sign in and select the folder; or wake the connection that waited in IDLE."""
        if self._client is not None:
            with self._translated("wake"):
                self._wake(self._client)
            return
        with self._translated("connect"):
            client = self._client = _Client(self._peer)
            if self._peer.security is Security.START_TLS:
                client.starttls(self._peer.tls())
        with self._translated("sign in"):
            client.login(self._section.mailbox, self._section.password.reveal())
        events.mailbox_connected(section=self._section.name, server=str(self._peer), idle=self._can_idle(client))

    def look(self, cursor: str | None) -> Listing:
        """Select anew, so that UIDVALIDITY and UIDNEXT are of now, and search."""
        with self._translated(f"open folder {self._section.folder}"):
            answer = self._connected().select_folder(self._folder(self._section.folder))
        self._validity = int(answer.get(b"UIDVALIDITY", 0))
        held = int(answer.get(b"EXISTS", 0))
        with self._translated("search"):
            known = _Cursor.parse(cursor) if cursor else None
            renumbered = known is not None and known.validity != self._validity
            if known is None or renumbered:
                next_uid = int(answer.get(b"UIDNEXT") or self._highest(held) + 1)
                at = self._first(next_uid, again=renumbered)
            else:
                at = known
            return self._listing(at, held, first_contact=known is None, renumbered=renumbered)

    def _first(self, next_uid: int, *, again: bool) -> _Cursor:
        """Where to begin with a folder whose numbers are not known."""
        first = FirstFetch.UNSEEN if again else self._section.first
        floor = 1 if first is FirstFetch.ALL else next_uid
        return _Cursor(self._validity, floor, backlog=first is FirstFetch.UNSEEN)

    def _listing(self, at: _Cursor, held: int, *, first_contact: bool, renumbered: bool) -> Listing:
        since = ["SINCE", self._section.begin_date.date()] if self._section.begin_date else []
        # `n:*` names the last mail even where its UID is below n (RFC 3501 §6.4.8).
        recent = [uid for uid in self._search(["UID", f"{at.floor}:*", *since]) if uid >= at.floor]
        backlog = []
        if at.backlog and at.floor > 1:
            for start in range(1, held + 1, SEARCH_WINDOW):
                window = f"{start}:{min(held, start + SEARCH_WINDOW - 1)}"
                found = self._search([window, "UID", f"1:{at.floor - 1}", "UNSEEN", *since])
                backlog += [uid for uid in found if uid < at.floor]
        done = _Cursor(self._validity, max([at.floor, *(uid + 1 for uid in recent)]), backlog=False)
        return Listing(
            keys=tuple(f"{self._validity}/{uid}" for uid in sorted(backlog) + sorted(recent)),
            cursor=str(at),
            cursor_when_done=str(done),
            held=held,
            first_contact=first_contact,
            renumbered=renumbered,
        )

    def _search(self, criteria: list[object]) -> list[int]:
        return [int(uid) for uid in self._connected().search(criteria)]

    def _highest(self, held: int) -> int:
        return max(self._search([f"{held}"]), default=0) if held else 0

    def before(self, day: datetime, keys: Sequence[str]) -> frozenset[str]:
        """None: the search left them out."""
        return frozenset()

    def fetch(self, keys: Sequence[str]) -> Iterator[list[Inbound]]:
        """FETCH with BODY.PEEK[], which leaves \\Seen alone; batched by number and size."""
        for part in _chunks(self._uids(keys), COMMAND_UIDS):
            with self._translated("fetch sizes"):
                answer = self._connected().fetch(part, ["RFC822.SIZE"])
            sizes = {uid: int(data.get(b"RFC822.SIZE", 0)) for uid, data in answer.items()}
            for batch in _batches([uid for uid in part if uid in sizes], sizes):
                mails = self._fetch_batch(batch)
                if mails:
                    yield mails

    def _fetch_batch(self, uids: list[int]) -> list[Inbound]:
        """A batch; where the server refuses it, its mails one by one, and the refused ones are told of."""
        try:
            with self._translated("fetch"):
                answer = self._connected().fetch(uids, [BODY, "INTERNALDATE"])
        except Rejected as error:
            if len(uids) > 1:
                return [mail for uid in uids for mail in self._fetch_batch([uid])]
            events.mail_refused(section=self._section.name, key=f"{self._validity}/{uids[0]}", reason=error.reason)
            return []
        return [self._inbound(uid, answer[uid]) for uid in uids if b"BODY[]" in answer.get(uid, {})]

    def _inbound(self, uid: int, data: dict[bytes, object]) -> Inbound:
        raw = data[b"BODY[]"]
        when = data.get(b"INTERNALDATE")
        return Inbound(
            key=f"{self._validity}/{uid}",
            raw=raw if isinstance(raw, bytes) else b"",  # NIL: the server has lost it
            received=when.astimezone(UTC) if isinstance(when, datetime) else None,
        )

    def acknowledge(self, keys: Sequence[str]) -> None:
        """Mark, move or delete; UIDs that are gone are no error (RFC 3501 §6.4.8)."""
        for part in _chunks(self._uids(keys), COMMAND_UIDS):
            with self._translated(f"after-fetch {self._section.after}"):
                self._acknowledge(self._connected(), part)

    def _acknowledge(self, client: _Client, uids: list[int]) -> None:
        match self._section.after:
            case AfterFetch.SEEN:
                client.add_flags(uids, [b"\\Seen"], silent=True)
            case AfterFetch.DELETE:
                self._delete(client, uids)
            case AfterFetch.MOVE:
                folder = self._folder(self._section.after_fetch_folder)
                if not client.folder_exists(folder):
                    client.create_folder(folder)
                if client.has_capability("MOVE"):
                    client.move(uids, folder)
                else:  # RFC 6851 §3.3 gives these steps for a server without MOVE
                    client.copy(uids, folder)
                    self._delete(client, uids)

    @staticmethod
    def _delete(client: _Client, uids: list[int]) -> None:
        client.add_flags(uids, [b"\\Deleted"], silent=True)
        if client.has_capability("UIDPLUS"):
            client.uid_expunge(uids)  # RFC 4315 §2.1: ours, and not what others marked
        else:
            client.expunge()

    def finish(self) -> None:
        """Nothing is left to do: every acknowledgement was a command of its own."""

    # Between two turns

    def wait(self) -> Wait:
        """Enter IDLE; by time where the server cannot."""
        client = self._connected()
        if not self._can_idle(client):
            return Wait(self._section.cycle_time)
        with self._translated("idle"):
            client.idle()
            self._idling = True
            if client.holds_unread_bytes():  # it spoke at once, and the selector would never see it
                return Wait(SPOKE_AT_ONCE)
        return Wait(self._section.idle_renewal, client.socket())

    def _can_idle(self, client: _Client) -> bool:
        return self._section.idle and bool(client.has_capability("IDLE"))

    def _wake(self, client: _Client) -> None:
        if self._idling:
            self._idling = False
            client.idle_done()
        else:
            client.noop()

    def close(self) -> None:
        """Log out if that takes no time, else just drop the connection."""
        client, self._client, self._idling = self._client, None, False
        if client is not None:
            with contextlib.suppress(OSError, imaplib.IMAP4.error, AttributeError):
                client.shutdown()

    # Odds and ends

    def _connected(self) -> _Client:
        if self._client is None:
            raise Unreachable(str(self._peer), "use the connection", "it is closed")
        return self._client

    def _folder(self, path: str) -> str:
        """The section's path with the server's own separator between its levels (RFC 3501 §5.1.1)."""
        separator = self._section.folder_separator
        if separator not in path:
            return path
        ((_, servers, _),) = self._connected().list_folders("", "")[:1] or [((), separator, "")]
        servers = servers.decode("ascii") if isinstance(servers, bytes) else servers
        return path.replace(separator, servers or separator)

    def _uids(self, keys: Sequence[str]) -> list[int]:
        """The UIDs of those keys that are of the folder's present numbering; others are gone for good."""
        pairs = (key.split("/", 1) for key in keys)
        return [int(uid) for validity, uid in pairs if int(validity) == self._validity]

    @contextlib.contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        library = (OSError, IMAPClientError, LoginError, CapabilityError, ProtocolError, ValueError)
        try:
            with translated(str(self._peer), action, _meaning, *library):
                yield
        except RemoteError as error:
            if not (isinstance(error, Rejected) and action == "fetch"):
                self.close()
            raise


def _chunks(uids: list[int], length: int) -> Iterator[list[int]]:
    for start in range(0, len(uids), length):
        yield uids[start : start + length]


def _batches(uids: list[int], sizes: dict[int, int]) -> Iterator[list[int]]:
    """Split so that no batch is above BATCH_MAILS or, but for a single large mail, above BATCH_BYTES."""
    batch: list[int] = []
    total = 0
    for uid in uids:
        if batch and (len(batch) >= BATCH_MAILS or total + sizes[uid] > BATCH_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(uid)
        total += sizes[uid]
    if batch:
        yield batch
