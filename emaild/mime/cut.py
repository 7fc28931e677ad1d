"""The beginning of a mail, so that it still is one; and a note in a mail of what is missing in it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from emaild.mime import headers
from emaild.mime.limits import DEPTH
from emaild.mime.parts import LINE_END, Part, parsed
from emaild.settings.properties import MimeProperties

NOTE = "X-Emaild-Left-On-Server"
LONGEST_NOTE = 2000  # characters
MARK = b"\xef\xbb\xbf"  # of UTF-8, which some files begin with
HEADER_END = re.compile(rb"(?:\A|\n|\r(?!\r?\n))%b" % LINE_END)


def noted(raw: bytes, left: str) -> bytes:
    """The mail with a field more at its top, which says what of it was left on its server (RFC 6532: in UTF-8)."""
    said = "".join(character if character.isprintable() else " " for character in left[:LONGEST_NOTE])
    return f"{NOTE}: {said}\r\n".encode("utf-8", "replace") + raw.removeprefix(MARK).lstrip(b" \t\r\n")


def cut(raw: bytes, most: int, reading: MimeProperties = MimeProperties()) -> bytes:
    """The header and whole lines after it, *most* bytes in all or what the header has. *raw* may be a beginning itself.

    Multiparts in it are closed (RFC 2046 §5.1.1), which takes some bytes more; a part whose header is cut is left out.
    """
    mail = parsed(raw, reading)
    start = mail.at or 0
    body = mail.body[: max(most - start, 0)]
    lines = body[: body.rfind(b"\n") + 1] or body
    end, opened = _ended(Part(mail.header, lines), reading)
    kept = raw[:start] + lines[:end]
    closing = b"".join(b"--%b--\r\n" % boundary for boundary in reversed(opened))
    return kept + (b"" if kept.endswith(b"\n") or not closing else b"\r\n") + closing


def _ended(part: Part, reading: MimeProperties) -> tuple[int, list[bytes]]:
    """How much of a body that was cut is to be kept, and the boundaries of the multiparts that are open there."""
    at, end, opened = 0, len(part.body), list[bytes]()
    while part.kind.startswith("multipart/") and len(opened) < DEPTH:
        boundary = headers.parameter(part.header, "Content-Type", "boundary", reading).encode("utf-8", "replace")
        if not boundary:
            break
        delimiters = deque(enumerate(_delimiters(boundary, part.body)), maxlen=1)
        if not delimiters:  # what stands before the first part is no text
            return at, opened
        ((before, last),) = delimiters
        if last[1]:
            break
        piece = part.body[last.end() :]
        if HEADER_END.search(piece) is None:
            return (at + last.start(), [*opened, boundary]) if before else (at, opened)
        opened.append(boundary)
        part = parsed(piece, reading)
        at += last.end() + (part.at or 0)
    return end, opened


def _delimiters(boundary: bytes, body: bytes) -> Iterator[re.Match[bytes]]:
    return re.finditer(rb"(?:\A|(?<=[\r\n]))--%b(--)?[ \t]*(?:%b|\Z)" % (re.escape(boundary), LINE_END), body)
