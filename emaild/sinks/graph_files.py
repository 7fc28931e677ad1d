"""A mail too large for one request to Graph, taken apart: a smaller mail, and files that are attached to it again.

Only the files right in the outermost multipart/mixed are taken out, the largest first, and no more than needed; all
else stays byte for byte. Nothing of a file is held but the piece that is on its way.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_qp
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from emaild.mime import headers
from emaild.mime.head import Header, head
from emaild.settings.properties import MimeProperties

READING = MimeProperties()
PIECE = 4 << 20  # encoded bytes; decoded they are some 3 MiB, and Graph takes less than 4 MB at once
NO_BASE64 = b"\r\n \t"
TEXT_INSTEAD = b"\r\nContent-Type: text/plain\r\n\r\n"
SEALED = frozenset(
    {"multipart/signed", "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
)  # RFC 1847; RFC 8551 §3.2
HEADER = 64 << 10  # bytes of a part that are looked at for its header


@dataclass(frozen=True)
class File:
    """An attachment; its content lies encoded in the bytes of the mail from `start` to `end`."""

    header: Header = field(repr=False)
    raw: bytes = field(repr=False)
    start: int
    end: int

    @property
    def name(self) -> str:
        return headers.file_name(self.header, READING) or "attachment"

    @property
    def content_type(self) -> str:
        return self.header.get_content_type()

    @property
    def content_id(self) -> str:
        """Without its angle brackets, empty where there is none."""
        return headers.field(self.header, "Content-ID", READING).strip("<>")

    @property
    def inline(self) -> bool:
        return headers.word(self.header, "Content-Disposition") == "inline"

    @cached_property
    def size(self) -> int:
        """Decoded. Raises ValueError where it is not encoded as it says."""
        return sum(map(len, self.pieces()))

    def pieces(self) -> Iterator[bytes]:
        """Decoded, in order. Raises ValueError as `size`."""
        encoding = headers.word(self.header, "Content-Transfer-Encoding")
        if encoding == "base64":
            yield from self._base64()
            return
        whole = a2b_qp(self.raw[self.start : self.end]) if encoding == "quoted-printable" else None
        content = memoryview(self.raw)[self.start : self.end] if whole is None else memoryview(whole)
        for at in range(0, len(content), PIECE // 4 * 3):
            yield bytes(content[at : at + PIECE // 4 * 3])

    def _base64(self) -> Iterator[bytes]:
        rest = b""
        for at in range(self.start, self.end, PIECE):
            clean = rest + self.raw[at : min(at + PIECE, self.end)].translate(None, NO_BASE64)
            whole = len(clean) // 4 * 4
            rest = clean[whole:]
            if whole:
                yield _decoded(clean[:whole])
        if rest:
            yield _decoded(rest)


def _decoded(encoded: bytes) -> bytes:
    try:
        return a2b_base64(encoded, strict_mode=True)
    except Error as error:
        raise ValueError(str(error)) from error


def apart(raw: bytes, most: int) -> tuple[bytes, list[File]] | None:
    """The mail with at most that many bytes, and its files in their order; None where it cannot be made so small."""
    if len(raw) <= most:
        return raw, []
    places = _places(raw)
    size, chosen = len(raw), set[int]()
    for number in sorted(range(len(places)), key=lambda number: places[number][0] - places[number][1]):
        if size <= most:
            break
        start, end, file = places[number]
        if file is not None:
            chosen.add(number)
            size -= end - start
    if size > most:
        return None
    kept, at = [], 0
    for number in sorted(chosen):
        start, end, _ = places[number]
        kept.append(raw[at:start])
        at = end
    if chosen and len(chosen) == len(places):  # a multipart has one part at least (RFC 2046 §5.1)
        kept.append(raw[places[0][0] : raw.index(b"\r\n", places[0][0] + 2)] + TEXT_INSTEAD)
    return b"".join([*kept, raw[at:]]), [file for number in sorted(chosen) if (file := places[number][2])]


def is_sealed(raw: bytes) -> bool:
    """Whether the mail, or a part of its outermost multipart/mixed, is signed or encrypted: byte for byte as it is."""
    header, parts = _parts(raw)
    headers_of_parts = (_head(raw, start, end)[0] for _, start, end in parts)
    return any(one.get_content_type() in SEALED for one in (header, *headers_of_parts))


def _places(raw: bytes) -> list[tuple[int, int, File | None]]:
    """The parts, each from its delimiter to the next; with the file that it is, if it is one."""
    return [(delimiter, end, _file(raw, start, end)) for delimiter, start, end in _parts(raw)[1]]


def _parts(raw: bytes) -> tuple[Header, list[tuple[int, int, int]]]:
    """The header, and of each part where its delimiter begins, and where it begins and ends itself."""
    header, at, cut = head(raw[: 1 << 20], blank_ends=False, mail=True)
    boundary = headers.parameter(header, "Content-Type", "boundary", READING)
    if cut or header.get_content_type() != "multipart/mixed" or not boundary:
        return header, []
    delimiter = rb"\r\n--%b(--)?[ \t]*(?=\r\n|\Z)" % re.escape(boundary.encode())
    found = []
    for one in re.compile(delimiter).finditer(raw, max(at - 2, 0)):
        found.append(one)
        if one[1]:
            break
    return header, [(one.start(), one.end() + 2, after.start()) for one, after in pairwise(found)]


def _head(raw: bytes, start: int, end: int) -> tuple[Header, int, str]:
    return head(raw[start : min(end, start + HEADER)], blank_ends=False, mail=False)


def _file(raw: bytes, start: int, end: int) -> File | None:
    header, at, cut = _head(raw, start, end)
    file = File(header, raw, start + at, end)
    named = bool(headers.file_name(header, READING))
    is_file = named or headers.word(header, "Content-Disposition") == "attachment"
    if cut or not is_file or header.get_content_maintype() == "multipart":
        return None
    try:
        return file if file.size else None
    except ValueError:
        return None
