"""Encoded words (RFC 2047): text beyond ASCII in header fields."""

from __future__ import annotations

import binascii
import re

from emaild.mime.charset import decoded

START = r"=\?([^?*\s]{1,100})(?:\*[^?\s]{0,100})?\?([bq])\?"  # RFC 2047 §2, RFC 2231 §5
INSIDE = r"((?:[^?=]++|\?(?!=)|=(?!\?(?!=)))*+)"  # up to the end of the word; another word's beginning is no part of it
ENCODED_WORD = re.compile(START + INSIDE + r"\?=", re.IGNORECASE)
APART_WORD = re.compile(rf"(?<![^\s(]){START}([^?\s]*)\?=(?![^\s)])", re.IGNORECASE)  # RFC 2047 §5


def words(text: str, *, strict: bool = False) -> str:
    """Encoded words decoded; what is none stays as it is.

    They count wherever they stand, and once more in what was encoded twice; with *strict* only between white space and
    the edges of comments.
    """
    if "=?" not in text:
        return text
    if strict:
        return _decoded(text, APART_WORD)
    once = _decoded(text, ENCODED_WORD)
    return _decoded(once, ENCODED_WORD) if once != text and "=?" in once else once


def _decoded(text: str, word: re.Pattern[str]) -> str:
    said: list[str] = []
    content, label, end = b"", "", 0  # of the encoded words just before `end`; a character may lie in two of them
    for found in word.finditer(text):
        more = _content(found[2], found[3])
        if more is None:
            continue
        gap = text[end : found.start()]
        follows = end > 0 and not gap.strip()
        if follows and label == found[1].lower():
            content += more
        else:
            said += [decoded(content, label), "" if follows else gap]
            content, label = more, found[1].lower()
        end = found.end()
    return "".join([*said, decoded(content, label), text[end:]])


def _content(encoding: str, text: str) -> bytes | None:
    """The bytes of an encoded word, None where it is broken."""
    encoded = text.encode("utf-8", "replace")
    try:
        if encoding in "qQ":
            return binascii.a2b_qp(encoded, header=True)
        return binascii.a2b_base64(encoded + b"==")
    except ValueError:
        return None
