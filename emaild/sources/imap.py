"""IMAP mailboxes (RFC 3501), over IMAPClient.

A key is `UIDVALIDITY/UID`, which names a mail of a folder for good (§2.3.1.1). What is new is told by UIDs, not by
\\Seen, so a mail that a person read first is not missed. The connection is kept between turns, in IDLE (RFC 2177)
where the server can.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from imapclient.exceptions import CapabilityError, IMAPClientError

from emaild.errors import Rejected, RemoteError, Unreachable
from emaild.log import events
from emaild.message import Inbound
from emaild.net.connect import Peer
from emaild.net.translate import translated
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxSection, Security
from emaild.sources import Listing, Wait
from emaild.sources.imap_client import Client, meaning

BATCH_MAILS = 50
BATCH_BYTES = 8 << 20
COMMAND_UIDS = 500  # UIDs named in one command: some 4 KB, below the 8,000 octets of RFC 2683 §3.2.1.5
SEARCH_WINDOW = 80_000  # mails searched at once: imaplib refuses lines above 1,000,000 octets, a UID has up to 11
BODY = "BODY.PEEK[]"
SPOKE_AT_ONCE = 0.2  # seconds: below what a person notices, above what a chatty server could make a busy loop of


@dataclass(frozen=True)
class _Cursor:
    """Where reading a folder stands: UIDs from `floor` on are looked at, and below it those of `backlog`.

    The backlog is what was unseen at the first contact, by name: our own marks must not change what is to be taken.
    """

    validity: int
    floor: int
    backlog: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.validity} {self.floor} {','.join(map(str, self.backlog))}"

    @classmethod
    def parse(cls, text: str) -> _Cursor:
        validity, floor, backlog = text.split(" ")
        return cls(int(validity), int(floor), tuple(int(uid) for uid in backlog.split(",") if uid))


class Imap:
    """One folder of an IMAP account."""

    def __init__(self, section: MailboxSection, peer: Peer) -> None:
        self._section = section
        self._peer = peer
        self._client: Client | None = None
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
            client = self._client = Client(self._peer)
        if self._peer.security is Security.START_TLS:
            with self._translated("STARTTLS"):
                if not client.has_capability("STARTTLS"):
                    raise CapabilityError("the server does not offer it")
                client.starttls(self._peer.tls())
        with self._translated("sign in"):
            self._sign_in(client)
            idle = self._can_idle(client)  # this may ask the server
        events.mailbox_connected(section=self._section.name, server=str(self._peer), idle=idle)

    def _sign_in(self, client: Client) -> None:
        name, password = self._section.mailbox, self._section.password.reveal()
        if (name + password).isascii():
            client.login(name, password)
        else:  # LOGIN carries ASCII alone (RFC 3501 §9), PLAIN all of UTF-8 (RFC 4616 §2)
            client.plain_login(name, password)

    def look(self, cursor: str | None) -> Listing:
        """Select anew, so that UIDVALIDITY and UIDNEXT are of now, and search."""
        with self._translated(f"open folder {self._section.folder}"):
            client, changes = self._connected(), self._section.after is not AfterFetch.LEAVE
            answer = client.select_folder(self._folder(self._section.folder), readonly=not changes)
            client.told_of_mails()  # what SELECT says of it is no news
        self._validity = int(answer.get(b"UIDVALIDITY", 0))
        held = int(answer.get(b"EXISTS", 0))
        with self._translated("search"):
            known = _Cursor.parse(cursor) if cursor else None
            renumbered = known is not None and known.validity != self._validity
            if known is None or renumbered:
                next_uid = int(answer.get(b"UIDNEXT") or self._highest(held) + 1)
                at = self._first(next_uid, held, again=renumbered)
            else:
                at = known
            return self._listing(at, held, first_contact=known is None, renumbered=renumbered)

    def _first(self, next_uid: int, held: int, *, again: bool) -> _Cursor:
        """Where to begin with a folder whose numbers are not known."""
        match FirstFetch.UNSEEN if again else self._section.first:
            case FirstFetch.ALL:
                return _Cursor(self._validity, 1)
            case FirstFetch.UNSEEN:
                unseen = [uid for uid in self._search(held, ["UNSEEN"]) if uid < next_uid]
                return _Cursor(self._validity, next_uid, tuple(unseen))
        return _Cursor(self._validity, next_uid)

    def _listing(self, at: _Cursor, held: int, *, first_contact: bool, renumbered: bool) -> Listing:
        since = ["SINCE", self._section.begin_date.date()] if self._section.begin_date else []
        # `n:*` names the last mail even where its UID is below n (RFC 3501 §6.4.8).
        recent = [uid for uid in self._search(held, ["UID", f"{at.floor}:*", *since]) if uid >= at.floor]
        backlog: set[int] = set()
        if at.backlog:  # some may be gone from the folder by now
            backlog = set(at.backlog) & set(self._search(held, ["UID", f"1:{at.floor - 1}", *since]))
        done = _Cursor(self._validity, max([at.floor, *(uid + 1 for uid in recent)]))
        return Listing(
            keys=tuple(f"{self._validity}/{uid}" for uid in sorted(backlog) + sorted(recent)),
            cursor=str(at),
            cursor_when_done=str(done),
            held=held,
            first_contact=first_contact,
            renumbered=renumbered,
        )

    def _search(self, held: int, criteria: list[object]) -> list[int]:
        """The UIDs that fit; a folder so large that the answer could burst a line is searched in windows."""
        windows = [(start, min(held, start + SEARCH_WINDOW - 1)) for start in range(1, held + 1, SEARCH_WINDOW)]
        within: list[list[object]] = [[f"{first}:{last}"] for first, last in windows] if len(windows) > 1 else [[]]
        return [int(uid) for window in within for uid in self._connected().search([*window, *criteria])]

    def _highest(self, held: int) -> int:
        return max((int(uid) for uid in self._connected().search(["UID", "*"])), default=0) if held else 0

    def before(self, day: datetime, keys: Sequence[str]) -> frozenset[str]:
        """None: the search left them out."""
        return frozenset()

    def fetch(self, keys: Sequence[str]) -> Iterator[list[Inbound]]:
        """FETCH with BODY.PEEK[], which leaves \\Seen alone; batched by number and size."""
        for part in _chunks(self._uids(keys), COMMAND_UIDS):
            sizes = self._sizes(part)
            for batch in _batches([uid for uid in part if uid in sizes], sizes):
                mails = self._fetch_batch(batch)
                if mails:
                    yield mails

    def _sizes(self, uids: list[int]) -> dict[int, int]:
        """How large they are; where the server will not tell, so large that each is fetched on its own."""
        try:
            with self._translated("fetch sizes"):
                answer = self._connected().fetch(uids, ["RFC822.SIZE"])
        except Rejected:
            return dict.fromkeys(uids, BATCH_BYTES)
        return {uid: int(data.get(b"RFC822.SIZE", 0)) for uid, data in answer.items()}

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

    def _acknowledge(self, client: Client, uids: list[int]) -> None:
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
    def _delete(client: Client, uids: list[int]) -> None:
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
        with self._translated("idle"):
            self._idling = self._can_idle(client) and client.enter_idle()
            if not self._idling:
                return Wait(self._section.cycle_time)
            if client.told_of_mails() or client.holds_unread_bytes():  # the selector would never see it
                return Wait(SPOKE_AT_ONCE)
        return Wait(self._section.idle_renewal, client.socket())

    def _can_idle(self, client: Client) -> bool:
        return self._section.idle and bool(client.has_capability("IDLE"))

    def _wake(self, client: Client) -> None:
        if self._idling:
            self._idling = False
            client.idle_done()
        else:
            client.noop()

    def close(self) -> None:
        """Drop the connection, without waiting for an answer to LOGOUT."""
        client, self._client, self._idling = self._client, None, False
        if client is not None:
            with contextlib.suppress(OSError, IMAPClientError, AttributeError):
                client.shutdown()

    # Odds and ends

    def _connected(self) -> Client:
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
        try:
            with translated(str(self._peer), action, meaning, OSError, IMAPClientError, ValueError):
                yield
        except RemoteError as error:
            if not (isinstance(error, Rejected) and action.startswith("fetch")):
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
