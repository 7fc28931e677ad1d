"""What a server answers to UID FETCH, read straight from the connection (RFC 3501 §7.4.2, RFC 9051 §7.5.2).

IMAPClient takes an answer apart octet by octet; here mails are read as they come, and only what was asked for is kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Protocol

from imapclient.exceptions import IMAPClientAbortError

BEGINNING = re.compile(rb"\* \d+ FETCH \(", re.IGNORECASE)
"""Of a line with which such an answer begins."""

LONGEST_NUMBER = 19  # digits: 63 bits (RFC 9051 §9)

_ONE = rb'(?:(?P<opens>\()|(?P<closes>\))|"(?P<quoted>(?:[^"\\]|\\.)*+)"|~?\{(?P<literal>\d+)\}\Z|(?P<atom>[^ ()"]++))'
_VALUE = re.compile(rb" *+" + _ONE, re.DOTALL)
# A bracket that no other one closes is no value: to look for that again at each item would take quadratic time.
_ITEM = re.compile(rb' *+(?P<name>[^ ()"\[{]++(?:\[(?:[^\]"]|"[^"]*")*+\](?:<\d+>)?+)?+)(?!\[) *+' + _ONE, re.DOTALL)
_ESCAPED = re.compile(rb'\\(["\\])')  # a backslash before anything else is itself, as IMAPClient has it
_END = re.compile(rb" *\) *\Z")

Value = bytes | int | None
"""A string, a number, or None for NIL and whatever else."""

Items = dict[bytes, Value]
"""What is said of a mail, by names in capitals."""


class Reader(Protocol):
    """Where an answer goes on after its first line."""

    def read(self, size: int) -> bytes:
        """So many octets; fewer where the connection broke."""

    def line(self) -> bytes:
        """A line without its end."""


class Answers:
    """What is answered to one command, by UID; what it did not ask for is left out.

    `tag` is the command's, *items* are what it names. More than *most* octets in all are no answer to it.
    """

    def __init__(self, tag: bytes, uids: Collection[int], items: Collection[str], most: int) -> None:
        self.tag = tag
        self.found: dict[int, Items] = {}
        self.is_wanted = True
        self._uids = frozenset(uids)
        self._names = {b"UID", *(item.replace(".PEEK", "").encode("ascii") for item in items)}
        self._left = most

    def forget(self) -> None:
        """Nobody wants them any more; those to come are read and not kept."""
        self.is_wanted = False
        self._uids = frozenset()
        self.found.clear()

    def take(self, line: bytes, start: int, reader: Reader) -> None:
        """An answer whose first line is *line*, with its items from *start* on.

        Raises:
            IMAPClientAbortError: it is none. ConnectionError: it is too long. And what *reader* raises.
        """
        text = _Text(line, start, reader, self._left)
        items: Items = {}
        while item := text.item():
            name, value = item
            if name in self._names:
                items[name] = value
        self._left = text.left
        uid = items.get(b"UID")  # without it, it is of something else than what was asked (RFC 3501 §6.4.8)
        if isinstance(uid, int) and uid in self._uids:
            self.found.setdefault(uid, {}).update(items)


class _Text:
    """An answer while it is read; `left` is how many octets it may still have."""

    def __init__(self, line: bytes, start: int, reader: Reader, left: int) -> None:
        self._line = line
        self._at = start
        self._reader = reader
        self.left = left - len(line)

    def item(self) -> tuple[bytes, Value] | None:
        """The next item, a name and its value; of a list nothing is kept. None at the end."""
        found = _ITEM.match(self._line, self._at)
        if found is None:
            if _END.match(self._line, self._at):
                return None
            raise _nonsense("an item without a value")
        kind, value = self._taken(found)
        depth = _STEP.get(kind, 0)
        if depth < 0:
            raise _nonsense("an item without a value")
        while depth:
            if (inner := _VALUE.match(self._line, self._at)) is None:
                raise _nonsense("a list without an end")
            depth += _STEP.get(self._taken(inner)[0], 0)
        return found["name"].upper(), value

    def _taken(self, found: re.Match[bytes]) -> tuple[str, Value]:
        """What kind of value it is, and the value."""
        self._at = found.end()
        kind = found.lastgroup or ""
        said = found[kind]
        if kind == "literal":
            return kind, self._literal(_number(said))
        if kind == "quoted":
            return kind, _ESCAPED.sub(rb"\1", said) if b"\\" in said else said
        return kind, _number(said) if said.isdigit() else None

    def _literal(self, size: int) -> bytes:
        self.left -= size
        if self.left < 0:
            raise ConnectionError("the answer is too long")
        octets = self._reader.read(size)
        self._line, self._at = self._reader.line(), 0
        self.left -= len(self._line)
        return octets


_STEP = {"opens": 1, "closes": -1}


def _nonsense(what: str) -> IMAPClientAbortError:
    """In imaplib's words: after any other error the connection would be used on, from the middle of an answer."""
    return IMAPClientAbortError(f"unexpected response: {what}")


def _number(said: bytes) -> int:
    if len(said) > LONGEST_NUMBER:
        raise _nonsense("a number that is too large")
    return int(said)
