"""A mail taken apart: the parts that hold something."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from emaild.mime import headers
from emaild.mime.head import Header, head
from emaild.mime.limits import DEPTH, PARTS, TooMuch
from emaild.mime.transfer import unpacked
from emaild.settings.properties import MimeProperties

LINE_END = rb"(?:\r{0,2}\n|\r)"  # some gateways send CR CR LF
DELIMITER = re.compile(
    rb"--(?<![^\r\n]--)([!-~\x80-\xff][ -~\x80-\xff]{0,199}?)[ \t]{0,200}(?:%b(Content-)?|\Z)" % LINE_END, re.IGNORECASE
)
DELIMITER_END = re.compile(rb"(--)?[ \t]*(?:%b|\Z)" % LINE_END)
LOOKED_AT = 20  # lines that look like delimiters where none is known
KIND = re.compile(r"""["'\s]*([!#$&^_.+\w-]{1,127})\s*(?:/\s*([!#$&^_.+\w-]{1,127}))?""", re.ASCII)  # RFC 6838 §4.2
KINDS = {"text": "text/plain", "multipart": "multipart/mixed", "message": "text/plain"}
KINDS |= dict.fromkeys(("application", "image", "audio", "video"), "application/octet-stream")
"""What a type without a subtype is."""


@dataclass(frozen=True)
class Part:
    """A mail, or a part of one: its header, and its body as it was sent.

    `header_cut` says in words which limit the header is beyond, empty where it is whole; `header` then holds what lies
    before the limit and `body` all that follows. `plain`: it is read as text, whatever it says that it is. `at`: where
    the body begins in the bytes of the mail, None where it lay encoded in another part. `choice`: which
    multipart/alternative of the mail it lies in, 0 for none, the outermost if it lies in several.
    """

    header: Header
    body: bytes
    header_cut: str = ""
    plain: bool = False
    at: int | None = 0
    choice: int = 0

    @cached_property
    def kind(self) -> str:
        """The media type in lower case: of the first Content-Type that can be read, else text/plain (RFC 2045 §5.2)."""
        if self.plain:
            return "text/plain"
        for value in headers.values(self.header, "Content-Type"):
            found = KIND.match(value)
            if found and (kind := f"{found[1]}/{found[2]}" if found[2] else KINDS.get(found[1].lower())):
                return kind.lower()
        return self.header.get_default_type()

    def content(self, reading: MimeProperties) -> bytes:
        """The decoded body. What is not encoded as it says, and an enclosed mail that must not be, stays as sent."""
        if self.kind.startswith("message/") and not reading.allowencodedmessages:
            return self.body
        return self._unpacked

    @cached_property
    def _unpacked(self) -> bytes:
        return unpacked(self.body, headers.word(self.header, "Content-Transfer-Encoding"), text=self.is_text)

    @property
    def is_text(self) -> bool:
        """Whether it is text of any kind."""
        return self.kind.startswith("text/")


@dataclass(frozen=True)
class Opened:
    """A mail taken apart, once for all that is to be read of it; `size` in bytes.

    `too_much` says in words which limit of `mime.limits` it is beyond, empty for nearly all; it has no parts then.
    """

    mail: Part
    parts: tuple[Part, ...]
    reading: MimeProperties
    size: int
    too_much: str = ""


def opened(raw: bytes, reading: MimeProperties = MimeProperties()) -> Opened:
    """The mail and its parts, as *reading* has them read; it never fails."""
    mail = parsed(raw, reading)
    try:
        return Opened(mail, leaves(mail, reading), reading, len(raw))
    except TooMuch as reason:
        return Opened(mail, (), reading, len(raw), str(reason))


def parsed(raw: bytes, reading: MimeProperties) -> Part:
    """A mail as header and body; it never fails. A header beyond a limit is cut there: see `Part.header_cut`."""
    return _parsed(raw, reading, 0, mail=True)


def leaves(mail: Part, reading: MimeProperties) -> tuple[Part, ...]:
    """The parts of a mail in their order: itself where it is no multipart. An enclosed mail is not looked into.

    A multipart in which no part is found is read as text. So is what stands before the first part (RFC 2046 §5.1.1)
    where no part has text. Raises TooMuch where the mail is beyond a limit of `mime.limits`.
    """
    found: list[Part] = []
    preambles: list[Part] = []
    waiting, count = [(mail, 0)], 1
    while waiting:
        part, depth = waiting.pop()
        if part.header_cut:
            raise TooMuch(part.header_cut)
        if not part.kind.startswith("multipart/"):
            found.append(part)
            continue
        if depth == DEPTH:
            raise TooMuch(f"its parts lie more than {DEPTH} deep in one another")
        choice = part.choice or (count if part.kind == "multipart/alternative" else 0)
        preamble, inner = _inner(part, reading, PARTS - count, choice)
        count += len(inner)
        if inner:
            waiting.extend((one, depth + 1) for one in reversed(inner))
            preambles.append(preamble)
        elif preamble.body.strip():
            found.append(preamble)
    return (*_unseen(preambles, found), *found)


def _unseen(preambles: list[Part], found: list[Part]) -> Iterator[Part]:
    """The preambles that hold a mail's only text. Those that programs write for readers without MIME say that name."""
    if not any(part.is_text and part.body.strip() for part in found):
        yield from (one for one in preambles if one.body.strip() and b"MIME" not in one.body.upper())


def _inner(part: Part, reading: MimeProperties, most: int, choice: int) -> tuple[Part, list[Part]]:
    """What stands before the parts of a multipart, as text (where there are none, all of it), and its parts."""
    for body in _bodies(part):
        for boundary in _boundaries(part, body, reading):
            pieces = _between(body, boundary)
            _, before = next(pieces)
            inner: list[Part] = []
            for start, piece in pieces:
                if len(inner) == most:
                    raise TooMuch(f"it has more than {PARTS} parts")
                at = None if part.at is None or body is not part.body else part.at + start
                inner.append(_parsed(piece, reading, at, choice=choice))
            if inner:
                if part.kind == "multipart/digest":
                    for one in inner:
                        one.header.set_default_type("message/rfc822")  # RFC 2046 §5.1.5
                return _as_text(part, before), inner
            if body[len(before) :].strip() == b"--%b--" % boundary:
                return _as_text(part, before), []
    return _as_text(part, part.body), []


def _as_text(part: Part, body: bytes) -> Part:
    return Part(part.header, body, part.header_cut, plain=True, at=part.at, choice=part.choice)


def _bodies(part: Part) -> Iterator[bytes]:
    """The body of a multipart; then decoded, if it is encoded against RFC 2045 §6.4."""
    yield part.body
    encoding = headers.word(part.header, "Content-Transfer-Encoding")
    if encoding and (body := unpacked(part.body, encoding)) != part.body:
        yield body


def _boundaries(part: Part, body: bytes, reading: MimeProperties) -> Iterator[bytes]:
    """The one that Content-Type names; then what the first line that looks like a delimiter says."""
    if not reading.multipart_ignoreexistingboundaryparameter:
        named = headers.parameter(part.header, "Content-Type", "boundary", reading)
        if named:
            yield named.encode("utf-8", "replace")
    for line in islice(DELIMITER.finditer(body), LOOKED_AT):
        if not line[1].endswith(b"--") and (line[2] or body.find(b"--" + line[1], line.end()) >= 0):
            yield line[1]
            return


def _between(body: bytes, boundary: bytes) -> Iterator[tuple[int, bytes]]:
    """What stands before the first delimiter, then between delimiters (RFC 2046 §5.1.1), and where it begins.

    A multipart that was cut off ends with what there is. What comes after its end is left out, unless it has delimiters
    again: then the end was that of a multipart in it with the same boundary.
    """
    start, inside = 0, True
    for at, end in _delimiters(body, b"--" + boundary):
        if inside and (at > start or not start):
            yield start, _without_last_line_end(body, start, at)
        start, inside = end.end(), not end[1]
    if inside and (len(body) > start or not start):
        yield start, _without_last_line_end(body, start, len(body))


def _delimiters(body: bytes, line: bytes) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Where each delimiter begins, and its end. No pattern is made of a boundary: each mail has one of its own."""
    at = body.find(line)
    while at >= 0:
        after = at + len(line)
        if (not at or body[at - 1] in b"\r\n") and (end := DELIMITER_END.match(body, after)):
            yield at, end
            after = end.end()
        at = body.find(line, after)


def _without_last_line_end(body: bytes, start: int, end: int) -> bytes:
    """It belongs to the delimiter that follows."""
    if end > start and body[end - 1] == 10:
        end -= 1
    if end > start and body[end - 1] == 13:
        end -= 1
    return body[start:end]


def _parsed(raw: bytes, reading: MimeProperties, at: int | None, *, mail: bool = False, choice: int = 0) -> Part:
    header, end, cut = head(raw, blank_ends=reading.ignorewhitespacelines, mail=mail)
    return Part(header, raw[end:], cut, at=None if at is None else at + end, choice=choice)
