"""Many mails in one file (RFC 4155): the lines of an mbox -> its mails, one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

DATED = re.compile(rb"From .{0,300}?\b\d\d?:\d\d\b.{0,40}\b(?:19|20)\d\d\b", re.DOTALL)
FIELD = re.compile(rb"[!-9;-~]+:")
QUOTED = re.compile(rb">+From ")
EMPTY = (b"\n", b"\r\n")


def mails(lines: Iterable[bytes], largest: int) -> Iterator[bytes | None]:
    r"""The mails of an mbox; None stands for one of more than *largest* bytes, which is read over.

    *lines* keep their ends; a long one may come in several pieces. A line that begins with `From ` starts a mail where
    it tells a time; without one only after an empty line and before a header field, as a sentence of an unquoted
    text may begin like that. `>From ` is unquoted as mboxrd writes it.

    Raises:
        ValueError: the file does not begin as an mbox does.
    """
    pieces: list[bytes] = []
    size, number, before = 0, 0, b"\n"
    for line, following in pairwise(chain(lines, (b"",))):
        whole = before.endswith(b"\n")  # where it is not, the line goes on
        if whole and line.startswith(b"From ") and _starts_mail(line, before, following, first=not number):
            if number:
                yield _joined(pieces, size, largest)
            pieces, size, number = [], 0, number + 1
        elif number:
            text = line[1:] if whole and QUOTED.match(line) else line
            size += len(text)
            if size <= largest:
                pieces.append(text)
        elif line not in EMPTY:
            raise ValueError("this is no mbox: it does not begin with 'From '")
        before = line
    if number:
        yield _joined(pieces, size, largest)


def _starts_mail(line: bytes, before: bytes, following: bytes, *, first: bool) -> bool:
    return first or bool(DATED.match(line)) or (before in EMPTY and bool(FIELD.match(following)))


def _joined(pieces: list[bytes], size: int, largest: int) -> bytes | None:
    if size > largest:
        return None
    if pieces and pieces[-1] in EMPTY:
        pieces.pop()  # the empty line between two mails belongs to neither
    return b"".join(pieces)
