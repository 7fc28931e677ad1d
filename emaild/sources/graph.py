"""Mailboxes of Exchange Online, over Microsoft Graph.

A key is the mail's immutable id, which stays the same while the mail is in the mailbox, also when it is moved. What is
new is told by a delta query, so a mail that a person read first is not missed; the cursor is the link that leads to
what comes next. A long list is taken in parts: then it is the link to the next of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from emaild.errors import RemoteError, Unreachable
from emaild.log import events
from emaild.message import Inbound
from emaild.net.graph import Graph, failed
from emaild.net.graph_answer import Answer
from emaild.net.graph_lane import AT_ONCE
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxSection
from emaild.sources import BATCH_BYTES, Listing, Wait
from emaild.sources.graph_delta import FIELDS, Changes, Cursor, Message, StateGone, everything, message, since
from emaild.sources.graph_folder import folder_id

BATCH_MAILS = 20
NO_MAIL = ("text/html", "application/json")  # a sign-in page, an error: said by somebody in between
LARGEST_MAIL = 1 << 30  # octets, where maximum-msg-size does not say


class GraphSource:
    """One folder of a mailbox."""

    may_ask_ahead = True

    def __init__(self, section: MailboxSection, graph: Graph) -> None:
        self._section = section
        self._graph = graph
        self._known: dict[str, Message] = {}
        self._met = ""  # the cursor of the part of the first contact that was told last
        self._folders: dict[str, str] = {}  # ids of those that mails are moved to, by their paths
        self._failed: set[str] = set()  # moved to failed-items-folder-name since the last look

    def open(self) -> None:
        """Have a token and a connection."""
        self._graph.open()

    def look(self, cursor: str | None, again: Sequence[str] = ()) -> Listing:
        """What came since; all that is there at first, and where Graph forgot what it told last."""
        at = Cursor.of(cursor, self._graph.now())
        changes = self._changes(at.link)
        listed = changes.in_order()
        skipped = self._skipped(changes, at) if cursor is None or (at.first and at.link) else frozenset[str]()
        met, self._met = self._met == cursor, cursor or ""
        self._known = dict(changes.messages)
        late = [key for key in again if key not in self._known and key not in self._failed and self._is_there(key)]
        self._failed.clear()
        return Listing(
            keys=(*late, *(key for key in listed if key not in skipped)),
            skipped=tuple(key for key in listed if key in skipped),
            cursor=str(at),
            cursor_when_done=str(at.then(changes)),
            held=len(listed),
            first_contact=cursor is None or bool(skipped and not met),
        )

    def _changes(self, link: str) -> Changes:
        if link:
            try:
                return since(self._graph, link)
            except StateGone:
                events.mailbox_listed_anew(section=self._section.name)
        return everything(self._graph, self._folder(self._section.folder))

    def _skipped(self, changes: Changes, at: Cursor) -> frozenset[str]:
        """Those that lay there at the first contact and are not to be taken."""
        wanted = self._section.first
        if wanted not in (FirstFetch.NEW, FirstFetch.UNSEEN):
            return frozenset()
        old = (key for key, one in changes.messages.items() if one.read or wanted is FirstFetch.NEW)
        return frozenset(key for key in old if not at.link or at.is_old(changes.messages[key]))

    def _is_there(self, key: str) -> bool:
        answer = self._graph.get(f"{_path(key)}?$select={FIELDS}")
        if answer.good:
            self._known[key] = message(answer.said)
        elif not answer.gone:
            raise failed(self._graph, answer, "look for a mail")
        return answer.good

    def before(self, day: datetime, keys: Sequence[str]) -> frozenset[str]:
        """By receivedDateTime."""
        known = ((key, self._known.get(key)) for key in keys)
        return frozenset(key for key, one in known if one and one.received and one.received < day)

    def sizes(self, keys: Sequence[str]) -> dict[str, int]:
        """None: Graph tells no size of a mail as it is sent."""
        return {}

    def fetch(self, keys: Sequence[str]) -> Iterator[list[Inbound]]:
        """`$value`, mail by mail; of one above maximum-msg-size one byte more than that is read.

        What came before a failure is given first.
        """
        batch: list[Inbound] = []
        total = 0
        for key in keys:
            try:
                mail = self._fetched(key)
            except RemoteError:
                if batch:
                    yield batch
                raise
            if mail is not None:
                batch.append(mail)
                total += len(mail.raw)
            if len(batch) >= BATCH_MAILS or total >= BATCH_BYTES:
                yield batch
                batch, total = [], 0
        if batch:
            yield batch

    def _fetched(self, key: str) -> Inbound | None:
        most = (self._section.maximum_msg_size or LARGEST_MAIL) + 1
        answer = self._graph.get(f"{_path(key)}/$value", most=most, whole=False)
        if not answer.good:
            self._refused(key, answer)
            return None
        self._check_mail(answer)
        known = self._known.get(key)
        return Inbound(key=key, raw=answer.body, received=known.received if known else None)

    def _refused(self, key: str, answer: Answer) -> None:
        if answer.transient:  # not Busy: a mail that does this again and again is to be left out
            raise Unreachable(str(self._graph), "fetch", answer.reason)
        if answer.of_the_mailbox or answer.status in (401, 403) or not answer.code:  # without a code it is not Graph's
            raise failed(self._graph, answer, "fetch")
        if answer.gone:
            return
        events.mail_refused(section=self._section.name, key=key, reason=answer.reason)
        if (folder := self._section.failed_items_folder_name) and answer.of_the_item:
            self._move([key], folder, "move a failed mail")
            self._failed.add(key)
            events.mail_failed_moved(section=self._section.name, key=key, folder=folder)

    def head(self, key: str, most: int) -> bytes | None:
        """The beginning of `$value`; the connection is given up for what remains."""
        answer = self._graph.get(f"{_path(key)}/$value", most=most, whole=False)
        if answer.transient:
            raise failed(self._graph, answer, "fetch the beginning")
        if not answer.good:
            return None
        self._check_mail(answer)
        return answer.body

    def _check_mail(self, answer: Answer) -> None:
        """Raises Unreachable where it is none, or a part of one (206), though somebody says that all is well."""
        kind = answer.headers.get_content_type() if "Content-Type" in answer.headers else ""
        if answer.status != 200 or not answer.body or kind in NO_MAIL:
            said = f"status {answer.status}, {len(answer.body)} bytes{kind and f' of {kind}'}"
            raise Unreachable(str(self._graph), "fetch", f"what it answers is no mail: {said}")

    def acknowledge(self, keys: Sequence[str]) -> None:
        """Mark, move or delete, four in a request; what is gone is no error."""
        action = f"after-fetch {self._section.after}"
        match self._section.after:
            case AfterFetch.SEEN:
                self._each(keys, "PATCH", "", {"isRead": True}, action)
            case AfterFetch.MOVE:
                self._move(keys, self._section.after_fetch_folder, action)
            case AfterFetch.DELETE:
                self.delete(keys)

    def delete(self, keys: Sequence[str]) -> bool:
        """At once; Exchange moves them to the deleted items."""
        self._each(keys, "DELETE", "", None, "delete")
        return True

    def _move(self, keys: Sequence[str], path: str, action: str) -> None:
        if keys and path not in self._folders:
            self._folders[path] = self._folder(path, make=True)
        self._each(keys, "POST", "/move", {"destinationId": self._folders.get(path)}, action)

    def _each(self, keys: Sequence[str], method: str, below: str, content: dict[str, Any] | None, action: str) -> None:
        for start in range(0, len(keys), AT_ONCE):
            part = keys[start : start + AT_ONCE]
            answers = self._graph.together(method, [_path(key) + below for key in part], content)
            for key, answer in zip(part, answers, strict=True):
                if answer.good or (answer.gone and not (below and self._is_there(key))):
                    continue
                self._folders.clear()  # it may be that which is gone: then it is made anew at the next turn
                raise failed(self._graph, answer, action)

    def finish(self) -> None:
        """Every acknowledgement was a request of its own."""

    def wait(self) -> Wait:
        """By time."""
        return Wait(self._section.cycle_time)

    def close(self) -> None:
        """Drop the connection."""
        self._folders.clear()
        self._met = ""
        self._graph.close()

    def _folder(self, path: str, *, make: bool = False) -> str:
        return folder_id(self._graph, path.split(self._section.folder_separator), make=make)


def _path(key: str) -> str:
    return f"/messages/{quote(key, safe='')}"
