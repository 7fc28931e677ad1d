"""The XML of a transcript: any bytes become a small tree of elements, or are refused."""

from __future__ import annotations

import os
import re
from typing import ClassVar
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from emaild.errors import InputError
from emaild.small_tree import SmallTree

LARGEST = 16 << 20  # characters; a chat of a thousand messages has 300,000
ELEMENTS = 200_000
DEPTH = 40  # elements in elements; a chat server's has 7

DECLARATION = re.compile(r"\A[\ufeff\s]*(?:<\?xml\s[^>]{0,300}\?>)?\s*")
LABEL = re.compile(rb"\A\s*<\?xml\s[^>]{0,300}?encoding\s*=\s*[\"']([A-Za-z0-9_-]{1,40})[\"']")
ONE_BYTE_AND_ASIAN = re.compile(
    r"iso[-_]?8859[-_]\d+|(?:windows|cp)[-_]?\d+|koi8[-_][ru]|shift[-_]jis|euc[-_](?:jp|kr)|gb(?:k|2312|18030)|big5",
    re.IGNORECASE,
)
REFERENCE = re.compile(r"&#(?:(\d{1,9})|x([0-9a-f]{1,8}));", re.IGNORECASE)
SURROGATE = re.compile("[\ud800-\udfff]")
NO_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # XML 1.0 §2.2


class TranscriptUnreadable(InputError):
    """A chat transcript that is no transcript; it is not sent. The event 30002 tells of it."""

    exit_code: ClassVar[int] = os.EX_DATAERR


def document(xml: bytes | str) -> Element:
    """The root of a chat transcript, its elements' names without their namespaces.

    Bytes that are UTF-8 are read as that whatever they say of themselves. A document type is refused, and with it all
    entities.

    Raises:
        TranscriptUnreadable: it is no XML, or none that is called chatTranscript, or it is too big.
    """
    if len(xml) > LARGEST:
        raise TranscriptUnreadable(f"the chat transcript has over {LARGEST >> 20} MiB")
    text = xml if isinstance(xml, str) else decoded(xml)
    too_big = TranscriptUnreadable(f"the chat transcript has over {ELEMENTS} elements, or over {DEPTH} in each other")
    parser = DefusedXMLParser(target=SmallTree(ELEMENTS, DEPTH, too_big), forbid_dtd=True)
    try:
        parser.feed(_allowed(DECLARATION.sub("", text)))
        root = parser.close()
    except (ParseError, DefusedXmlException) as error:
        raise TranscriptUnreadable(f"the chat transcript cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(root, Element) or root.tag != "chatTranscript":
        raise TranscriptUnreadable("the chat transcript cannot be read: its root is no chatTranscript")
    return root


def _allowed(text: str) -> str:
    """With nothing but XML's characters. Emoji come as two halves from some writers; they are put together."""
    text = REFERENCE.sub(_character, text)
    if SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _character(reference: re.Match[str]) -> str:
    """The character of a reference to a half of one, or to one that XML does not have; others stay references."""
    code = int(reference[1]) if reference[1] else int(reference[2], 16)
    if code > 0x10FFFF:
        return "\N{REPLACEMENT CHARACTER}"
    return chr(code) if SURROGATE.match(chr(code)) or NO_XML.match(chr(code)) else reference[0]


def decoded(raw: bytes) -> str:
    """The text of XML: by its byte order mark, as UTF-8, by its label, as windows-1252, the first that fits.

    Source: XML 1.0, appendix F.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    if b"\0" in raw[:2]:
        return raw.decode("utf-16-be" if raw.startswith(b"\0") else "utf-16-le", "replace")
    label = LABEL.match(raw)
    named = label[1].decode("ascii") if label else ""
    for charset in ("utf-8", named if ONE_BYTE_AND_ASIAN.fullmatch(named) else "utf-8"):
        try:
            return raw.decode(charset)
        except (UnicodeError, LookupError):
            continue
    return raw.decode("windows-1252", "replace")
