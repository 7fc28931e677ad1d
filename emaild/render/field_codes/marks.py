"""Which characters the template's author wrote, and which came with a value.

In HTML an author's `<b>` is markup and a customer's is not, also after they were joined, cut and changed. So the
characters that mean something in HTML are kept as other ones while they are the author's: a length stays the same, and
what is left of the plain ones at the end is a value's. Those used are noncharacters, which Unicode (§23.7) reserves
for inside a program; a value that holds one gets U+FFFD in its place, so it cannot pass for the author.
"""

from __future__ import annotations

import html

MEANINGFUL = "<>&\"'"
QUOTES = "\"'"
AUTHORS = {ord(plain): 0xFDD0 + number for number, plain in enumerate(MEANINGFUL)}
PLAIN = {mark: plain for plain, mark in AUTHORS.items()}
PLAIN_QUOTES = {mark: plain for plain, mark in AUTHORS.items() if chr(plain) in QUOTES}
FOREIGN = dict.fromkeys(PLAIN, 0xFFFD)


def by_author(text: str) -> str:
    """The text of a literal, marked."""
    return text.translate(FOREIGN).translate(AUTHORS)


def from_outside(text: str) -> str:
    """The text of a value, without anything that looks like a mark."""
    return text if text.isascii() else text.translate(FOREIGN)


def plain(text: str) -> str:
    """The text as people read it, of the same length."""
    return text if text.isascii() else text.translate(PLAIN)  # most are, and looking costs a tenth


def as_pattern(text: str) -> str:
    """A format pattern: its quotes mean something to the format, its markup stays the author's."""
    return text.translate(PLAIN_QUOTES)


def as_html(text: str) -> str:
    """The text for an HTML part: the author's markup as it is, all other escaped."""
    return plain(html.escape(text))


def folded(text: str) -> str:
    """The text for a comparison without regard to case, of the same length, so that places in it hold."""
    return plain(text).replace("İ", "i").lower().replace("ς", "σ")
