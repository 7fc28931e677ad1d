"""IMAP mailboxes (RFC 3501), over IMAPClient.

A key is `UIDVALIDITY/UID`, which names a mail of a folder for good (§2.3.1.1). What is new is told by UIDs, not by
\\Seen, so a mail that a person read first is not missed. The connection is kept between turns, in IDLE (RFC 2177)
where the server can.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from imapclient.exceptions import IMAPClientReadOnlyError

from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.log import events
from emaild.message import Inbound
from emaild.net import steps
from emaild.net.peer import Peer
from emaild.net.sign_in import SignIn
from emaild.net.translate import translated
from emaild.settings.mailbox import AfterFetch, MailboxSection
from emaild.settings.secret import Secret
from emaild.sources import AHEAD_BYTES, BATCH_BYTES, Listing, Wait, most_octets
from emaild.sources.imap_answers import Answers
from emaild.sources.imap_client import Client, meaning
from emaild.sources.imap_fetch import Body, ask_bodies, batches, bodies, bodies_in_parts, chunks, head, sizes
from emaild.sources.imap_idle import is_news
from emaild.sources.imap_look import Folder
from emaild.sources.imap_parts import Plan, in_parts, plan_of
from emaild.sources.imap_seats import Seat
from emaild.sources.imap_sign_in import LIBRARY, connect, drop, sign_in

LONGEST_NAP = 0.05  # seconds: sleeping that long costs less than a turn more
SPOKE_AT_ONCE = 0.2  # seconds: below what a person notices, above what a chatty server could make a busy loop of


class Imap:
    """One folder of an IMAP account."""

    may_ask_ahead = True

    def __init__(
        self,
        section: MailboxSection,
        peer: Peer,
        sign_in: SignIn | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._section = section
        self._peer = peer
        self._sign_in = sign_in or SignIn()
        self._monotonic = monotonic
        self._now = now
        self._client: Client | None = None
        self._ended: RemoteError | None = None  # what the connection was closed for
        self._seat = Seat(peer.host, section.mailbox, section.most_connections)
        self._idling = False
        self._idled = float("-inf")  # when the last IDLE began
        self._validity = 0
        self._sizes: dict[int, int] = {}
        self._plans: dict[int, Plan | None] = {}  # of mails that may have attachments which stay on the server
        self._most_octets = most_octets(section.maximum_msg_size)
        self._read_only = False
        self._told_read_only = False

    # One turn

    def open(self) -> None:
        """Connect, secure, sign in and select the folder; or wake the connection that waited in IDLE.

        One whose token is near its end is replaced: the server would end it in the middle of something.
        """
        if self._client is not None and self._sign_in.lasts() > 0:
            with self._translated("wake"):
                self._wake(self._client)
            return
        self.close()
        client = self._sign_in.by(self._connect)
        with self._translated("sign in"):
            idle = self._can_idle(client)  # this may ask the server
        steps.tell("new mails are told of at once (IDLE)" if idle else "no IDLE: looked at every cycle-time")
        events.mailbox_connected(section=self._section.name, server=str(client.peer), idle=idle)

    def _connect(self, token: Secret | None) -> Client:
        if not self._seat.take(self._peer.connect_timeout):
            reason = f"the mailboxes of this account have {self._section.most_connections} connections already"
            raise Busy(str(self._peer), "connect", reason)
        try:
            client = self._client = connect(self._peer)
        except BaseException:
            self._seat.leave()
            raise
        with self._translated("sign in"):
            sign_in(client, self._section, token)
        return client

    def look(self, cursor: str | None, again: Sequence[str] = ()) -> Listing:
        """Select anew, so that UIDVALIDITY and UIDNEXT are of now, and search."""
        with self._translated(f"open folder {self._section.folder}"):
            folder = Folder(client := self._connected(), self._select(client))
            client.told_of_mails()  # what SELECT says of it is no news
        self._validity = folder.validity
        self._sizes.clear()
        self._plans.clear()
        with self._translated("search"):
            return folder.listing(
                cursor, set(self._uids(again)), first=self._section.first, begin=self._section.begin(self._now())
            )

    def _select(self, client: Client) -> Mapping[bytes, Any]:
        """Open the folder: by EXAMINE where nothing is to be changed in it, or nothing can be and need not."""
        section, folder = self._section, self._folder(self._section.folder)
        deletes = section.delete_big_msg or section.delete_bad_formatted_msg
        changes = section.after is not AfterFetch.LEAVE or deletes or not section.imap.peek
        if changes and not self._read_only:
            try:
                return dict(client.select_folder(folder))
            except IMAPClientReadOnlyError:
                if not section.imap.allowreadonlyselect:
                    raise
            self._read_only = True
            if not self._told_read_only:
                events.mailbox_read_only(section=section.name, folder=section.folder)
            self._told_read_only = True
        return dict(client.select_folder(folder, readonly=True))

    def before(self, day: datetime, keys: Sequence[str]) -> frozenset[str]:
        """None: the search left them out."""
        return frozenset()

    def sizes(self, keys: Sequence[str]) -> Mapping[str, int]:
        """By RFC822.SIZE, without the attachments that stay on the server."""
        for part in chunks(self._uids(keys)):
            if self._ask_sizes(part):
                self._ask_plans(part)
        left = {uid: plan.octets for uid, plan in self._plans.items() if plan}
        told = {f"{self._validity}/{uid}": max(size - left.get(uid, 0), 1) for uid, size in self._sizes.items() if size}
        return {key: told[key] for key in keys if told.get(key)}

    def fetch(self, keys: Sequence[str]) -> Iterator[list[Inbound]]:
        """FETCH, batched by number and size; while a batch is given the next one is asked for."""
        asked: Answers | None = None
        following = self._batches(self._uids(keys))
        batch = next(following, [])
        try:
            while batch:
                mails = self._fetch_batch(batch, asked)
                asked = None
                try:
                    batch = next(following, [])
                    asked = self._ask_ahead(batch)
                except RemoteError:
                    if mails:
                        yield mails
                    raise
                if mails:
                    yield mails
        finally:
            if asked is not None and self._client is not None:
                self._client.forget(asked)

    def _batches(self, uids: list[int]) -> Iterator[list[int]]:
        for part in chunks(uids):
            # Where the server will not tell, each counts as so large that it is fetched on its own.
            sizes = self._sizes if self._ask_sizes(part) else dict.fromkeys(part, BATCH_BYTES)
            self._ask_plans([uid for uid in part if uid in sizes])
            sizes = sizes | {uid: BATCH_BYTES + 1 for uid in part if self._plans.get(uid)}  # each on its own
            yield from batches([uid for uid in part if uid in sizes], sizes)

    def _ask_ahead(self, uids: list[int]) -> Answers | None:
        """Ask for a batch before its turn, if it is small enough to wait in the buffers of the connection."""
        octets = sum(self._sizes.get(uid, BATCH_BYTES) for uid in uids)
        if not uids or octets > AHEAD_BYTES or self._plans.get(uids[0]) or self._section.imap.partialfetch:
            return None
        with self._translated("fetch"):
            return self._ask(uids)

    def _ask(self, uids: list[int]) -> Answers:
        return ask_bodies(self._connected(), uids, self._section.imap, self._most_octets)

    def _ask_sizes(self, uids: list[int]) -> bool:
        """Ask for those that are not known; whether the server would tell."""
        unknown = [uid for uid in uids if uid not in self._sizes]
        try:
            with self._translated("fetch sizes"):
                self._sizes |= sizes(self._connected(), unknown, self._most_octets) if unknown else {}
        except Rejected:
            return False
        return True

    def _ask_plans(self, uids: list[int]) -> None:
        """Of those that are large enough to have an attachment above maximum-attachment-size, and are not known."""
        most = self._section.maximum_attachment_size
        for uid in uids if most else ():
            if uid not in self._plans and self._sizes.get(uid, BATCH_BYTES) > (most or 0):
                with contextlib.suppress(Rejected), self._translated("fetch the structure"):
                    self._plans[uid] = plan_of(self._connected(), uid, most or 0)

    def _fetch_batch(self, uids: list[int], asked: Answers | None = None) -> list[Inbound]:
        """A batch, which may be asked for already; where the server refuses it, its mails one by one.

        The refused ones are told of.
        """
        try:
            if (plan := self._plans.get(uids[0])) and (mail := self._fetch_parts(uids[0], plan)):
                return [mail]
            with self._translated("fetch"):
                found = self._bodies(uids, asked)
        except Rejected as error:
            if len(uids) > 1:
                return [mail for uid in uids for mail in self._fetch_batch([uid])]
            events.mail_refused(section=self._section.name, key=f"{self._validity}/{uids[0]}", reason=error.reason)
            return []
        mails = [(uid, found[uid]) for uid in uids if uid in found]
        return [Inbound(key=f"{self._validity}/{uid}", raw=body.raw, received=body.received) for uid, body in mails]

    def _bodies(self, uids: list[int], asked: Answers | None) -> dict[int, Body]:
        if self._section.imap.partialfetch:
            return bodies_in_parts(self._connected(), uids, self._section.imap)
        return bodies(self._connected(), asked or self._ask(uids))

    def _fetch_parts(self, uid: int, plan: Plan) -> Inbound | None:
        """A mail without its large attachments; None: it has to be fetched whole."""
        with self._translated("fetch parts"):
            found = in_parts(self._connected(), uid, plan, self._section.imap, self._section.mime)
        if found is None:
            return None
        body, left = found
        return Inbound(key=f"{self._validity}/{uid}", raw=body.raw, received=body.received, left=left)

    def head(self, key: str, most: int) -> bytes | None:
        """By a partial FETCH (RFC 3501 §6.4.5)."""
        try:
            with self._translated("fetch the beginning"):
                found = [head(self._connected(), uid, most) for uid in self._uids([key])]
        except Rejected:
            return None
        return found[0] if found else None

    def acknowledge(self, keys: Sequence[str]) -> None:
        """Mark, move or delete; UIDs that are gone are no error (RFC 3501 §6.4.8).

        That mails are marked is not waited for before the next time or `finish`. Deleting is: Dovecot lets mails lie
        whose UID EXPUNGE it reads before it has answered to the STORE.
        """
        for part in chunks([] if self._read_only else self._uids(keys)):
            with self._translated(f"after-fetch {self._section.after}"):
                self._acknowledge(self._connected(), part)

    def _acknowledge(self, client: Client, uids: list[int]) -> None:
        match self._section.after:
            case AfterFetch.SEEN:
                client.heard()
                client.tell(uids, "STORE", "+FLAGS.SILENT", r"(\Seen)")
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

    def delete(self, keys: Sequence[str]) -> bool:
        """At once."""
        if self._read_only:
            return False
        for part in chunks(self._uids(keys)):
            with self._translated("delete"):
                self._delete(self._connected(), part)
        return True

    def finish(self) -> None:
        """Wait for what was acknowledged; then go, where connections are not kept."""
        with self._translated(f"after-fetch {self._section.after}"):
            self._connected().heard()
        if self._section.by_hand or not (self._section.imap.connectionpoolsize and self._seat.keeps()):
            self._log_out()

    # Between two turns

    def wait(self) -> Wait:
        """Enter IDLE; by time where the server cannot, or the connection is not kept."""
        if self._client is None:
            return Wait(self._section.cycle_time)
        client, properties = self._client, self._section.imap
        with self._translated("idle"):
            if self._can_idle(client):
                pause = max(0.0, self._idled + properties.minidletime / 1000 - self._monotonic())
                if pause > LONGEST_NAP:
                    return Wait(min(pause, self._section.cycle_time))
                time.sleep(pause)
                self._idled = self._monotonic()
                self._idling = client.enter_idle()
            if self._idling and (client.told_of_mails() or client.holds_unread_bytes()):
                return Wait(SPOKE_AT_ONCE)  # the selector would never see it
        if self._idling:
            # Never below cycle-time: a token that ends at once must not make a busy loop.
            lasts = max(self._sign_in.lasts(), self._section.cycle_time)
            return Wait(min(self._section.idle_renewal, lasts), client.socket(), self._is_news)
        longest = properties.connectionpooltimeout
        if longest is not None and longest < self._section.cycle_time * 1000:
            self._log_out()
        return Wait(self._section.cycle_time)

    def _is_news(self) -> bool:
        with self._translated("idle"):
            return is_news(self._connected())

    def _can_idle(self, client: Client) -> bool:
        kept = self._section.imap.connectionpoolsize > 0 and not self._section.by_hand
        return kept and self._section.idle and bool(client.has_capability("IDLE"))

    def _log_out(self) -> None:
        """LOGOUT, which may fail: all that mattered is done."""
        with contextlib.suppress(*LIBRARY):
            self._connected().logout()
        self.close()

    def _wake(self, client: Client) -> None:
        if self._idling:
            self._idling = False
            client.idle_done()
        else:
            client.noop()

    def close(self) -> None:
        """Drop the connection, without waiting for an answer to LOGOUT."""
        client, self._client, self._idling, self._read_only = self._client, None, False, False
        self._ended = None
        if client is not None:
            drop(client)
        self._seat.leave()

    # Odds and ends

    @property
    def _where(self) -> str:
        return str(self._client.peer if self._client else self._peer)

    def _connected(self) -> Client:
        if self._client is None:
            raise self._ended or Unreachable(self._where, "use the connection", "it is closed")
        return self._client

    def _folder(self, path: str) -> str:
        """The section's path with the server's own separator between its levels (RFC 3501 §5.1.1).

        One that begins with a backslash is a special use: the folder that has it, whatever the server calls it.
        """
        if path.startswith("\\"):
            return self._connected().special_folder(path)
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
            with translated(self._where, action, meaning, *LIBRARY):
                yield
        except RemoteError as error:
            if not (isinstance(error, Rejected) and action.startswith("fetch")):
                self.close()
                self._ended = error
            raise
