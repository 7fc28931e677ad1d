"""The header of a mail out: what its fields hold in ASCII, and how they are folded."""

from __future__ import annotations

import codecs
import re
from dataclasses import replace
from email.charset import Charset
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.policy import SMTP, EmailPolicy, Policy
from itertools import repeat
from typing import Any
from urllib.parse import quote

from emaild.settings.properties import MimeProperties

LONGEST_LINE = 998  # octets before CRLF (RFC 5322 §2.1.1)
LONGEST_NAME = 900  # octets of a parameter that may stand on one line, with room for what else is on it
WIDTH = 78  # what a line should have at most (RFC 5322 §2.1.1)
WORD_WIDTH = 76  # what a line with an encoded word must have at most (RFC 2047 §2)
LONGEST_WORD = 75  # an encoded word (RFC 2047 §2)
LONGEST_PART = 60  # octets of a parameter's part
LONGEST_SHOWN = 80  # characters of what is wrong, in an error
SHORTEST_ROOM = 40  # for an encoded word: enough for one character in any charset

ASCII_SAMPLE = "=\r\n+~"  # charsets that have other octets for these cannot be put into lines
NO_CHARSETS = ("idna", "raw-unicode-escape")  # what Python has among its charsets, and nobody else
MIME_NAMES = (  # of charsets, for what Python calls them
    (re.compile(r"cp(125\d)"), r"windows-\1"),
    (re.compile(r"iso(8859|2022)[-_](\w+)"), r"iso-\1-\2"),
    (re.compile(r"euc_(\w+)"), r"euc-\1"),
    (re.compile(r"mac-roman"), "macintosh"),
)
FIELD_NAME = re.compile(r"[!-9;-~]{1,900}")  # RFC 5322 §3.6.8, ftext; a line holds it
UNPRINTABLE = re.compile("[\0-\x1f\x7f\ud800-\udfff]")
PIECE = re.compile(r"[ \t]*[^ \t]+")
ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?[^?\s]*\?=", re.IGNORECASE)


def policy_of(writing: MimeProperties) -> EmailPolicy[Any]:
    """How a message is written: 7-bit, each field verbatim but for its folding.

    The library's own fields would be encoded and folded anew: a long Message-ID in References or link in
    List-Unsubscribe as encoded words, which nobody decodes there.
    """

    class Field(UnstructuredHeader, BaseHeader):
        @classmethod
        def parse(cls, value: str, kwds: dict[str, Any]) -> None:
            kwds.update(decoded=value, parse_tree=None)

        def fold(self, *, policy: Policy) -> str:
            return "".join(line + policy.linesep for line in folded(f"{self.name}: {self}", writing))

    factory = HeaderRegistry(default_class=Field, use_default_map=False)
    return SMTP.clone(cte_type="7bit", max_line_length=WIDTH, header_factory=factory)


def folded(field: str, writing: MimeProperties) -> list[str]:
    """The lines of a field, broken at its blanks (RFC 5322 §2.2.3)."""
    lines: list[str] = []
    for piece in PIECE.findall(field):
        if not lines or _needs_a_line(piece, lines[-1], writing):
            lines.append(piece)
        else:
            lines[-1] += piece
    return lines


def _needs_a_line(piece: str, line: str, writing: MimeProperties) -> bool:
    length = len(line) + len(piece)
    words = [ENCODED_WORD.search(text) is not None for text in (piece, line)]
    if writing.foldencodedwords and any(words):
        return all(words) or length > WORD_WIDTH
    return length > (WIDTH if writing.foldtext else LONGEST_LINE)


def unfit(name: str, value: str) -> str:
    """Why no header can hold that field, in words; empty: it can."""
    if not FIELD_NAME.fullmatch(name):
        return f"{name[:LONGEST_SHOWN]!r} is no name of a header field"
    if UNPRINTABLE.search(value.replace("\t", " ")) or len(f"{value}.".splitlines()) > 1:
        return f"{name}: a line break or control character does not belong into a header field"
    return ""


def text_of(name: str, value: str, writing: MimeProperties) -> str:
    """What a field of text holds: itself, or encoded words where it is not ASCII or no line could hold it."""
    if value.isascii() and all(len(piece) <= LONGEST_LINE for piece in PIECE.findall(f" {value}")):
        return value
    return encoded(value, writing, LONGEST_WORD - len(name) - 1)


def parameter(key: str, value: str, writing: MimeProperties) -> str:
    """A parameter of Content-Type or Content-Disposition, with the `;` before it.

    What is not ASCII is encoded as RFC 2231 says; with encodefilename as encoded words in quotes, which RFC 2047 §5
    forbids and old readers ask for; with neither it is replaced by `_`.
    """
    if value.isascii() and len(quoted(value)) < LONGEST_NAME:
        return f"; {key}={quoted(value)}"
    if writing.encodefilename:
        return f'; {key}="{encoded(value, writing, LONGEST_WORD - len(key) - 3)}"'
    if not writing.encodeparameters:
        return f"; {key}={quoted(re.sub(r'[^ -~]', '_', value)[: LONGEST_NAME // 2])}"
    charset = charset_of(value, writing)
    octets = quote(value, safe="", encoding=charset)
    if len(octets) <= LONGEST_PART:
        return f"; {key}*={charset}''{octets}"
    parts = re.findall(rf"(?:%..|[^%]){{1,{LONGEST_PART // 3}}}", octets)
    numbered = (f"; {key}*{number}*={part}" for number, part in enumerate(parts))  # RFC 2231 §4.1
    return "".join(numbered).replace("*0*=", f"*0*={charset}''", 1)


def in_charset(writing: MimeProperties, charset: str) -> MimeProperties:
    """That writing, with *charset* where mail.mime.charset names none."""
    return writing if writing.charset or not charset else replace(writing, charset=charset)


def charset_of(text: str, writing: MimeProperties) -> str:
    """The charset to write a text in, as MIME calls it: the one asked for if it has all its characters, and ASCII;
    else UTF-8."""
    if text.isascii() or not writing.charset:
        return "utf-8"
    try:
        name = codecs.lookup(writing.charset).name
        fits = text.encode(name) and ASCII_SAMPLE.encode(name) == ASCII_SAMPLE.encode()
    except (LookupError, ValueError):
        return "utf-8"
    if not fits or name in NO_CHARSETS:
        return "utf-8"
    found = (known.sub(mime, name).replace("_", "-") for known, mime in MIME_NAMES if known.fullmatch(name))
    return next(found, name)


def encoded(text: str, writing: MimeProperties, room: int) -> str:
    """Encoded words (RFC 2047) of at most *room* characters each, blanks between them."""
    charset = Charset(charset_of(text, writing))
    charset.output_charset = charset.output_codec = charset.input_charset  # the library has its own for Japanese
    words = charset.header_encode_lines(text, repeat(max(room, SHORTEST_ROOM)))
    return " ".join(word for word in words if word)


def quoted(text: str) -> str:
    """In quotes (RFC 5322 §3.2.4)."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
