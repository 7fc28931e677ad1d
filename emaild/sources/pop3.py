"""POP3 mailboxes (RFC 1939).

A key is the mail's UIDL (§7), which names it for as long as it is there. The mailbox is locked for others while we
are connected (§4), so a turn is one short session.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import zip_longest

from emaild.errors import Busy, RemoteError, Unreachable
from emaild.log import events
from emaild.message import Inbound
from emaild.net.connect import first_that_connects
from emaild.net.peer import Peer
from emaild.net.sign_in import SignIn
from emaild.net.translate import translated
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxSection
from emaild.settings.secret import Secret
from emaild.sources import AHEAD_BYTES, BATCH_BYTES, BATCH_MAILS, Listing, Wait, as_key, most_octets
from emaild.sources.pop3_client import Client, Refused, meaning
from emaild.sources.pop3_sign_in import sign_in

TOP_LINE = 78  # octets that a line of a mail has at most as a rule (RFC 5322 §2.1.1)
HEADERS = 64 << 20  # octets that the headers of BATCH_MAILS mails may have
CONTACTED = "contacted"  # a cursor needs no more: the keys tell what is new

_RECEIVED = re.compile(rb"^Received:.*;([^;\r\n]+)", re.IGNORECASE | re.MULTILINE)
_DATE = re.compile(rb"^Date:([^\r\n]+)", re.IGNORECASE | re.MULTILINE)


class Pop3:
    """One POP3 mailbox."""

    def __init__(
        self,
        section: MailboxSection,
        peer: Peer,
        sign_in: SignIn | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._section = section
        self._peer = peer
        self._sign_in = sign_in or SignIn()
        self._now = now
        self._client: Client | None = None
        self._doomed: list[int] = []  # what is to be deleted when the turn ends
        self._numbers: dict[str, int] = {}
        self._octets: dict[str, int] | None = None  # None: not asked for in this session
        self._arrivals: dict[str, datetime | None] = {}
        # What a header from TOP says is decided again by the one from RETR, so it need not be asked for.
        self._uses_top = not (section.pop3.disabletop or section.pop3.forgettopheaders)
        self._most_octets = most_octets(section.maximum_msg_size)

    @property
    def may_ask_ahead(self) -> bool:
        """Where the server can pipeline it is done anyway. To some a mail that was asked for is one that was taken."""
        return self._client is not None and self._client.pipelining

    def open(self) -> None:
        """Connect, secure and sign in."""
        self._sign_in.by(self._signed_in)
        self._doomed, self._octets = [], None

    def _signed_in(self, token: Secret | None) -> None:
        self._client = first_that_connects(self._peer, self._connect)
        with self._translated("sign in"):
            sign_in(self._client, self._section, token)

    def _connect(self, attempt: Peer) -> Client:
        with translated(str(attempt), "connect", meaning, OSError, Refused):
            return Client(attempt, self._section.pop3)

    def look(self, cursor: str | None, again: Sequence[str] = ()) -> Listing:
        """List by UIDL. A server without it cannot be read, for nothing else names a mail for good."""
        with self._translated("list by UIDL"):
            # ASCII by §7; where it is not, Latin-1 keeps two different ones different.
            listed = [line.decode("latin-1").split(" ", 1) for line in self._connected().lines(b"UIDL")]
            self._numbers = {as_key(name): int(number) for number, name in listed}
        self._arrivals = {key: when for key, when in self._arrivals.items() if key in self._numbers}
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
        """By the date of the topmost Received line, which the mailbox's own server wrote; else by Date.

        Without TOP a mail's date is known once it was fetched: `fetch` leaves it out, and here it is told of later.
        """
        if self._uses_top:
            self._ask_arrivals([key for key in keys if key in self._numbers and key not in self._arrivals])
        dates = ((key, self._arrivals.get(key)) for key in keys)
        return frozenset(key for key, when in dates if when is not None and when < day)

    def _ask_arrivals(self, keys: Sequence[str]) -> None:
        """None where the server will not show the header: then `fetch` has its say."""
        for part in _windows(keys, dict.fromkeys(keys, 0)):
            with self._translated("fetch header"):
                answers = self._connected().each([b"TOP %d 0" % self._numbers[key] for key in part], mails=HEADERS)
                for key, answer in zip(part, answers, strict=True):
                    self._arrivals[key] = None if isinstance(answer, Refused) else arrival(answer)

    def sizes(self, keys: Sequence[str]) -> Mapping[str, int]:
        """By LIST, once a session; where the server will not tell, none."""
        if self._octets is None:
            with self._translated("list sizes"):
                try:
                    lines = self._connected().lines(b"LIST")
                except Refused:
                    lines = []
                told = {int(words[0]): int(words[1]) for line in lines if len(words := line.split()) > 1}
            self._octets = {key: told[number] for key, number in self._numbers.items() if number in told}
        return {key: self._octets[key] for key in keys if key in self._octets}

    def fetch(self, keys: Sequence[str]) -> Iterator[list[Inbound]]:
        """RETR, a batch at a time; a mail that the server refuses is left out and told of.

        While a batch is given the next one is asked for, where the server can pipeline.
        """
        here = [key for key in keys if key in self._numbers]
        octets = self.sizes(here) if here else {}
        windows = list(_windows(here, octets))
        for window, following in zip_longest(windows, windows[1:], fillvalue=list[str]()):
            batch: list[Inbound] = []
            try:
                for inbound in self._retrieve(window):
                    batch.append(inbound)
                if following and sum(octets.get(key, BATCH_BYTES) for key in following) <= AHEAD_BYTES:
                    with self._translated("fetch"):
                        self._connected().ahead(self._retrievals(following), self._most_octets)
            except RemoteError:
                if batch:
                    yield batch
                raise
            if batch:
                yield batch

    def _retrieve(self, keys: Sequence[str]) -> Iterator[Inbound]:
        with self._translated("fetch"):
            answers = self._connected().each(self._retrievals(keys), mails=self._most_octets)
            for key, answer in zip(keys, answers, strict=True):
                if isinstance(answer, Refused):
                    self._refused(key, answer)
                    continue
                when = arrival(answer)
                if not self._uses_top:
                    self._arrivals[key] = when
                    if self._is_old(when):
                        continue
                yield Inbound(key=key, raw=self._as_told(key, answer), received=when)

    def _retrievals(self, keys: Sequence[str]) -> list[bytes]:
        return [b"RETR %d" % self._numbers[key] for key in keys]

    def _as_told(self, key: str, raw: bytes) -> bytes:
        """Without the line end that the server added to a mail that has none at its end, as its size says."""
        added = (self._octets or {}).get(key) == len(raw) - 2
        return raw[:-2] if added else raw

    def _refused(self, key: str, answer: Refused) -> None:
        kind, reason = meaning(answer)
        if issubclass(kind, Busy):
            raise answer
        events.mail_refused(section=self._section.name, key=key, reason=reason)

    def _is_old(self, when: datetime | None) -> bool:
        day = self._section.begin(self._now())
        return when is not None and day is not None and when < day

    def head(self, key: str, most: int) -> bytes | None:
        """By TOP, with the lines that so many octets have as a rule; more than *most* are read and forgotten."""
        client = self._connected()
        offered = client.capabilities is None or "TOP" in client.capabilities
        if key not in self._numbers or not offered or self._section.pop3.disabletop:
            return None
        with self._translated("fetch the beginning"):
            try:
                return client.beginning(b"TOP %d %d" % (self._numbers[key], most // TOP_LINE), most)
            except Refused:
                return None

    def acknowledge(self, keys: Sequence[str]) -> None:
        """DELE where the section says so, when the turn ends."""
        if self._section.after is AfterFetch.DELETE:
            self.delete(keys)

    def delete(self, keys: Sequence[str]) -> bool:
        """DELE when the turn ends: the server does it at QUIT (§6), so nothing is won by saying it before."""
        here = [key for key in keys if key in self._numbers]  # a second DELE would be an error (§5)
        self._doomed += [self._numbers.pop(key) for key in here]
        return True

    def finish(self) -> None:
        """DELE and QUIT, which is what makes deletions happen."""
        for start in range(0, len(self._doomed), BATCH_MAILS):
            with self._translated("delete"):
                commands = [b"DELE %d" % number for number in self._doomed[start : start + BATCH_MAILS]]
                for answer in self._connected().each(commands):
                    if isinstance(answer, Refused):
                        raise answer
        with self._translated("quit"):
            client = self._connected()
            if self._section.pop3.rsetbeforequit and not self._doomed:
                with contextlib.suppress(Refused):
                    client.command(b"RSET")
            client.command(b"QUIT")
        self.close()

    def wait(self) -> Wait:
        """POP3 cannot tell of new mail: by time."""
        return Wait(self._section.cycle_time)

    def close(self) -> None:
        """Drop the connection without QUIT: nothing is deleted."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connected(self) -> Client:
        if self._client is None:
            raise Unreachable(str(self._peer), "use the connection", "it is closed")
        return self._client

    @contextlib.contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        try:
            with translated(str(self._peer), action, meaning, OSError, Refused, ValueError):
                yield
        except RemoteError:
            self.close()
            raise


def _windows(keys: Sequence[str], octets: Mapping[str, int]) -> Iterator[list[str]]:
    """Split so that no part is above BATCH_MAILS or, but for a single large mail, above BATCH_BYTES.

    A mail of unknown size counts as large. The commands of a part are some 1,200 octets, which fit any socket's buffer.
    """
    window: list[str] = []
    total = 0
    for key in keys:
        size = octets.get(key, BATCH_BYTES)
        if window and (len(window) >= BATCH_MAILS or total + size > BATCH_BYTES):
            yield window
            window, total = [], 0
        window.append(key)
        total += size
    if window:
        yield window


def arrival(raw: bytes) -> datetime | None:
    """When a mail arrived, by the topmost Received line (RFC 5321 §4.4: the date follows the last semicolon)."""
    begun = raw[: 64 << 10].partition(b"\r\n\r\n")[0]
    header = begun.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    unfolded = header.replace(b"\n ", b" ").replace(b"\n\t", b" ")
    found = _RECEIVED.search(unfolded) or _DATE.search(unfolded)
    if found is None:
        return None
    try:
        when = parsedate_to_datetime(found[1].decode("ascii", "replace").strip())
    except (ValueError, TypeError, OverflowError):
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
