"""Looking into an IMAP folder that is open: where to begin, and what there is to take from there on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emaild.settings.mailbox import FirstFetch
from emaild.sources import Listing
from emaild.sources.imap_client import Client

SEARCH_WINDOW = 80_000  # mails searched at once: imaplib refuses lines above 1,000,000 octets, a UID has up to 11


@dataclass(frozen=True)
class Cursor:
    """Where reading a folder stands: UIDs from `floor` on are looked at, and below it those of `backlog`.

    The backlog is what was unseen at the first contact, by name: our own marks must not change what is to be taken.
    """

    validity: int
    floor: int
    backlog: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.validity} {self.floor} {','.join(map(str, self.backlog))}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """From what its `str` was."""
        validity, floor, backlog = text.split(" ")
        return cls(int(validity), int(floor), tuple(int(uid) for uid in backlog.split(",") if uid))


class Folder:
    """The folder that *client* has open, as SELECT answered.

    Its methods raise what imaplib and IMAPClient raise.
    """

    def __init__(self, client: Client, answer: Mapping[bytes, Any]) -> None:
        self._client = client
        self._answer = answer
        self.validity = int(answer.get(b"UIDVALIDITY", 0))
        self.held = int(answer.get(b"EXISTS", 0))

    def _beginning(self, first: FirstFetch) -> Cursor:
        """Where to begin with a folder whose numbers are not known."""
        next_uid = int(self._answer.get(b"UIDNEXT") or self._highest() + 1)
        match first:
            case FirstFetch.ALL:
                return Cursor(self.validity, 1)
            case FirstFetch.UNSEEN:
                unseen = [uid for uid in self._search(["UNSEEN"]) if uid < next_uid]
                return Cursor(self.validity, next_uid, tuple(unseen))
        return Cursor(self.validity, next_uid)

    def listing(self, cursor: str | None, again: set[int], *, first: FirstFetch, begin: datetime | None) -> Listing:
        """What is to be taken, from *begin* on, if that is given; those of *again* that are there stand among it."""
        known = Cursor.parse(cursor) if cursor else None
        renumbered = known is not None and known.validity != self.validity
        at = known
        if at is None or renumbered:
            at = self._beginning(FirstFetch.UNSEEN if renumbered else first)
        since = ["SINCE", begin.date()] if begin else []
        # `n:*` names the last mail even where its UID is below n (RFC 3501 §6.4.8).
        recent = [uid for uid in self._search(["UID", f"{at.floor}:*", *since]) if uid >= at.floor]
        older = {uid for uid in again.union(at.backlog) if uid < at.floor}
        if older:  # some may be gone from the folder by now
            older &= set(self._search(["UID", f"{min(older)}:{max(older)}", *since]))
        return Listing(
            keys=tuple(f"{self.validity}/{uid}" for uid in sorted(older) + sorted(recent)),
            cursor=str(at),
            cursor_when_done=str(Cursor(self.validity, max([at.floor, *(uid + 1 for uid in recent)]))),
            held=self.held,
            first_contact=known is None,
            renumbered=renumbered,
        )

    def _search(self, criteria: list[object]) -> list[int]:
        """The UIDs that fit; a folder so large that the answer could burst a line is searched in windows."""
        starts = range(1, self.held + 1, SEARCH_WINDOW)
        windows = [[f"{start}:{min(self.held, start + SEARCH_WINDOW - 1)}"] for start in starts]
        return [
            int(uid)
            for window in (windows if len(windows) > 1 else [[]])
            for uid in self._client.search([*window, *criteria])
        ]

    def _highest(self) -> int:
        return max((int(uid) for uid in self._client.search(["UID", "*"])), default=0) if self.held else 0
