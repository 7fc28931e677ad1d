"""HTML cut into text and tags, in time that grows with its length whatever it holds.

The library's html.parser of Python 3.11 takes the square of it for unclosed comments and tags; parsers that build a
browser's tree take the square of it for unclosed formatting, in time and in memory.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

TEXT = re.compile(r"(?:[^<]++|<(?![A-Za-z/!?]))++")
MARKUP = re.compile(
    r"<!--(?:-?>|.*?-->|.*)"  # what is never closed goes to the end, as in a browser
    r"|<(/?)([A-Za-z][^\s/>]*+)((?:[^>=]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?+)*+)(?:>|\Z)"
    r"|<[!?/][^>]*+(?:>|\Z)",
    re.DOTALL,
)
ATTRIBUTE = re.compile(
    r"([^\s=/\"'][^\s=/]*+)(?:\s*+=\s*+(?:\"([^\"]*+)(?:\"|\Z)|'([^']*+)(?:'|\Z)|([^\s\"'][^\s]*+)))?+"
)
UNSHOWN = {name: re.compile(rf"</{name}(?![a-z])", re.IGNORECASE) for name in ("script", "style", "title", "xml")}
ENDLESS_NUMBER = re.compile(r"&#\d{10,}+;?")  # html.unescape raises on thousands of digits


@dataclass(frozen=True, slots=True)
class Tag:
    """A start tag, or with `end` an end tag; `name` in lower case, `attributes` as they are written."""

    name: str
    end: bool
    attributes: str

    def values(self) -> dict[str, str]:
        """The attributes by their names in lower case."""
        found: dict[str, str] = {}
        for name, *values in ATTRIBUTE.findall(self.attributes):
            found.setdefault(name.lower(), characters("".join(values)))
        return found


def tokens(page: str) -> Iterator[str | Tag]:
    """Texts, with their character references as they are written, and tags in their order.

    Comments, declarations, scripts, styles and titles are left out.
    """
    at = 0
    while at < len(page):
        if text := TEXT.match(page, at):
            yield text[0]
            at = text.end()
        elif markup := MARKUP.match(page, at):
            at = markup.end()
            if markup[2]:
                tag = Tag(markup[2].lower(), bool(markup[1]), markup[3])
                yield tag
                if tag.name in UNSHOWN and not tag.end:
                    close = UNSHOWN[tag.name].search(page, at)
                    at = close.start() if close else len(page)
        else:
            return


def characters(text: str) -> str:
    """Text with its character references read."""
    return html.unescape(ENDLESS_NUMBER.sub("\N{REPLACEMENT CHARACTER}", text)) if "&" in text else text
