"""A mail taken apart: the parts that hold something.

The library reads headers and encodings. Where a header ends and which boundary counts is found here, because an
operator may choose it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import Message
from email.parser import BytesParser

from emaild.mime import headers
from emaild.settings.properties import MimeProperties

DEEPEST = 50  # multiparts in multiparts; what lies deeper is one part, for each level costs another look at the whole
LINE_END = rb"(?:\r\n|\n|\r)"
NO_HEADER = rb"(?!From |[!-9;-~]*:|[ \t])"
HEADER_END = re.compile(rb"(?:\A|(?<=\n)|(?<=\r)(?!\n))%b%b?" % (NO_HEADER, LINE_END))
WHITE_HEADER_END = re.compile(rb"(?:\A|(?<=\n)|(?<=\r)(?!\n))(?:[ \t]*%b|%b)" % (LINE_END, NO_HEADER))
LAST_LINE_END = re.compile(LINE_END + rb"\Z")
DELIMITER = re.compile(rb"--(?<![^\r\n]--)([!-~][ -~]{0,199}?)[ \t]*(?=[\r\n]|\Z)")


@dataclass(frozen=True)
class Part:
    """A mail, or a part of one: its header, and its body as it was sent."""

    header: Message
    body: bytes

    @property
    def kind(self) -> str:
        """The media type, in lower case."""
        return self.header.get_content_type()

    def content(self, reading: MimeProperties) -> bytes:
        """The decoded body. What is not encoded as it says, and an enclosed mail that must not be, stays as sent."""
        if self.kind.startswith("message/") and not reading.allowencodedmessages:
            return self.body
        self.header.set_payload(self.body.decode("ascii", "surrogateescape"))
        try:
            content = self.header.get_payload(decode=True)
        except Exception:  # noqa: BLE001  (the library fails in many ways)
            return self.body
        return content if isinstance(content, bytes) else self.body


def parsed(raw: bytes, reading: MimeProperties) -> Part:
    """Header and body. The header ends at an empty line, or before the first line that cannot be of a header."""
    end = (WHITE_HEADER_END if reading.ignorewhitespacelines else HEADER_END).search(raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    return Part(BytesParser(policy=policy.compat32).parsebytes(head, headersonly=True), body)


def leaves(mail: Part, reading: MimeProperties) -> Iterator[Part]:
    """The parts of a mail in their order: itself where it is no multipart. An enclosed mail is not looked into."""
    waiting = [(mail, 0)]
    while waiting:
        part, depth = waiting.pop()
        inner = _inner(part, reading) if part.kind.startswith("multipart/") and depth < DEEPEST else []
        if inner:
            waiting.extend((one, depth + 1) for one in reversed(inner))
        else:
            yield part


def _inner(part: Part, reading: MimeProperties) -> list[Part]:
    """The parts of a multipart; none where no boundary is found in it."""
    boundary = _boundary(part, reading)
    inner = [parsed(content, reading) for content in _between(part.body, boundary)] if boundary else []
    if part.kind == "multipart/digest":
        for one in inner:
            one.header.set_default_type("message/rfc822")  # RFC 2046 §5.1.5
    return inner


def _boundary(part: Part, reading: MimeProperties) -> bytes:
    """The one that Content-Type names; else what the first line that looks like a delimiter says."""
    if not reading.multipart_ignoreexistingboundaryparameter:
        named = headers.parameter(part.header, "Content-Type", "boundary", reading)
        if named:
            return named.encode("utf-8", "replace")
    found = (line[1] for line in DELIMITER.finditer(part.body))
    return next((boundary for boundary in found if not boundary.endswith(b"--")), b"")


def _between(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """What stands between delimiters (RFC 2046 §5.1.1); a multipart that was cut off ends with what there is."""
    line = b"--" + re.escape(boundary)
    start = None
    for found in re.finditer(rb"%b(?<![^\r\n]%b)(--)?[ \t]*(?:%b|\Z)" % (line, line, LINE_END), body):
        if start is not None and found.start() > start:
            yield LAST_LINE_END.sub(b"", body[start : found.start()])
        start = found.end()
        if found[1]:
            return
    if start is not None and start < len(body):
        yield LAST_LINE_END.sub(b"", body[start:])
