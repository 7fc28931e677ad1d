"""Where mail comes from: what every protocol offers, and which adapter serves a section.

A source is used by one worker at a time. A turn is: open, look, fetch and acknowledge in batches, finish; a source
may keep its connection between two turns. After any RemoteError the source has closed it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from emaild.message import Inbound

BATCH_MAILS = 100  # that are fetched and stored together, where a protocol has no bound of its own
BATCH_BYTES = 8 << 20  # above which a batch takes no further mail
AHEAD_BYTES = 2 << 20  # what is asked for before its turn: so much fits the buffers of two sockets, by and large
LARGEST_MAIL = 1 << 30  # octets, where maximum-msg-size does not say


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a mailbox holds that may have to be taken, in the server's order.

    `skipped` are keys of old mails that must never be taken; they are remembered together with `cursor`, which the
    next look is given. `cursor_when_done` replaces it once all of `keys` are in the store. `held` counts all mails.
    Keys are what `as_key` makes of the server's names.
    """

    keys: tuple[str, ...]
    cursor: str
    cursor_when_done: str
    held: int
    first_contact: bool = False
    renumbered: bool = False
    skipped: tuple[str, ...] = ()


def as_key(name: str) -> str:
    """A mail's name on its server as the store can keep and find it; no protocol allows what is replaced.

    SQLite's json_each takes NUL for the end of a text, and no file of SQLite holds half of a surrogate pair.
    """
    return name.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def most_octets(maximum: int | None) -> int:
    """What the mails of one batch have at most, whatever their server told before; *maximum* is maximum-msg-size.

    Servers tell sizes by rule of thumb; but none must fill our memory.
    """
    return 2 * ((maximum or LARGEST_MAIL) + BATCH_BYTES)


@dataclass(frozen=True)
class Wait:
    """How to wait for the next turn: for that many seconds, or until `connection`, if any, has something to read.

    `is_news` then reads it, raises RemoteError, and says whether a turn is due; if not the connection waits on.
    """

    seconds: float
    connection: socket.socket | None = None
    is_news: Callable[[], bool] = lambda: True


class Source(Protocol):
    """A mailbox on a server. Every method but `close` raises RemoteError, and waits no longer than its timeouts."""

    @property
    def may_ask_ahead(self) -> bool:
        """Whether mails may be asked for before those before them are stored, for that changes nothing of them."""

    def open(self) -> None:
        """Connect and sign in, unless that connection is still there from the last turn."""

    def look(self, cursor: str | None, again: Sequence[str] = ()) -> Listing:
        """What there is to take; *cursor* is what an earlier look left, None at the first contact.

        Keys of *again* were listed before and left out for their size: those still there are listed once more.
        """

    def before(self, day: datetime, keys: Sequence[str]) -> frozenset[str]:
        """Those of *keys* that reached the mailbox before *day*."""

    def sizes(self, keys: Sequence[str]) -> Mapping[str, int]:
        """How many octets each of these mails has, as the server says; what it will not say is left out."""

    def fetch(self, keys: Sequence[str]) -> Iterator[list[Inbound]]:
        """The mails in batches, in order. One that is gone, or that the server will not give, is left out.

        A source may ask for the next batch before it gives one, so that the server works while its caller does. Between
        two batches any other method may be called; `acknowledge`, `delete` and `finish` are what is meant to be. Where
        a method has to read the next batch to get at its own answer, that is kept until its turn: so the caller has
        two batches in memory. The iterator may be dropped at any batch, and then the source is as if nothing had been
        asked for. What came before a connection broke is given first.
        """

    def head(self, key: str, most: int) -> bytes | None:
        """The first *most* bytes of a mail, or some fewer, without marking it; None: the server cannot, or it is gone.

        Costs no more memory than that, however large the mail is.
        """

    def acknowledge(self, keys: Sequence[str]) -> None:
        """They are in the store for good: mark, move or delete them as the section says. May be repeated."""

    def delete(self, keys: Sequence[str]) -> bool:
        """Delete them, whatever the section says of after-fetch. False: the server lets us only read."""

    def finish(self) -> None:
        """End the turn; when this returns, what was acknowledged is done on the server."""

    def wait(self) -> Wait:
        """How to wait for the next turn."""

    def close(self) -> None:
        """Drop the connection; never raises."""
