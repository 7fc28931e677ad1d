"""An answer read as it comes: strictly, bounded, and its mails straight into their bytes.

A mail comes as one text in base64. In a tree it would stand several times over, with all of the answer beside it.
"""

from __future__ import annotations

import binascii
import io
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from emaild.net.ews.answers import T

MOST_ELEMENTS = 100_000  # 512 changes have some 6,000
MOST_TEXT = 8 << 20  # characters that belong to no mail
LONGEST_TOKEN = 1 << 20  # bytes; the parser begins a token anew with each piece, which would be quadratic
PIECE = 64 << 10
MIME_CONTENT = f"{T}MimeContent"
WHITESPACE = b" \t\r\n"  # XML 1.0 §2.3


class Unreadable(Exception):
    """Not whole, no XML, or what no answer of Exchange is; its text says which."""


class MimeContent(ET.Element):
    """t:MimeContent. `raw` is the mail; None: there is none, or it is no base64."""

    raw: bytes | None = None


def read(pieces: Iterable[bytes]) -> ET.Element:
    """The element that the whole is; every MimeContent in it is a `MimeContent`, without text. Raises Unreadable."""
    target = _Target()
    parser = ET.XMLParser(target=target)  # noqa: S314  (no document type passes, so there are no entities)
    try:
        for piece in pieces:
            target.silence += len(piece)
            parser.feed(piece)
            if target.silence > LONGEST_TOKEN:
                raise Unreadable("it is no SOAP")
        root: ET.Element = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:  # the latter two for an encoding that is none
        raise Unreadable("it is not whole, or not XML") from error
    return root


class _Target:
    """What the parser tells of what it reads. `silence`: how many bytes it was given since it told of something."""

    def __init__(self) -> None:
        self.silence = 0
        self._builder = ET.TreeBuilder(element_factory=_element)
        self._elements = 0
        self._text = 0
        self._mail: tuple[MimeContent, _Base64] | None = None

    def doctype(self, *_: object) -> None:
        """SOAP 1.1 §3 forbids it; its entities could grow without end."""
        raise Unreadable("it is no SOAP")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.silence = 0
        self._elements += 1
        self._text += sum(map(len, attributes.values()))
        self._bounded()
        element = self._builder.start(tag, attributes)
        self._mail = (element, _Base64()) if isinstance(element, MimeContent) else None

    def data(self, text: str) -> None:
        self.silence = 0
        if self._mail is not None:
            self._mail[1].add(text)
            return
        self._text += len(text)
        self._bounded()
        self._builder.data(text)

    def end(self, tag: str) -> None:
        self.silence = 0
        if self._mail is not None:
            element, decoder = self._mail
            element.raw = decoder.whole()
            self._mail = None
        self._builder.end(tag)

    def close(self) -> ET.Element:
        return self._builder.close()

    def _bounded(self) -> None:
        if self._elements > MOST_ELEMENTS or self._text > MOST_TEXT:
            raise Unreadable(f"it has more than {MOST_ELEMENTS} elements or {MOST_TEXT} characters beside its mails")


def _element(tag: str, attributes: dict[str, str]) -> ET.Element:
    return (MimeContent if tag == MIME_CONTENT else ET.Element)(tag, attributes)


class _Base64:
    """Bytes from text that comes in parts (RFC 4648 §4), white space apart."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._held = 0
        self._left = b""
        self._bytes = io.BytesIO()
        self._wrong = False

    def add(self, text: str) -> None:
        self._parts.append(text)
        self._held += len(text)
        if self._held >= PIECE:
            self._decode()

    def whole(self) -> bytes | None:
        """None: it was empty, or is no base64."""
        self._decode()
        return None if self._wrong or self._left else self._bytes.getvalue() or None

    def _decode(self) -> None:
        parts, self._parts, self._held = self._parts, [], 0
        try:
            text = self._left + "".join(parts).encode("ascii").translate(None, WHITESPACE)
            if self._bytes.tell() % 3 and text:
                raise ValueError("it goes on after its end")
            end = len(text) // 4 * 4
            self._left = text[end:]
            self._bytes.write(binascii.a2b_base64(text[:end], strict_mode=True))
        except ValueError:
            self._wrong, self._left = True, b""
