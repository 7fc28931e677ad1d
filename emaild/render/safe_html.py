"""HTML from a mail that somebody sent us, made fit to go on in a mail of ours.

The tags are first written anew by one pass over the text: a few known ones, bounded in number and depth, since a
parser of HTML takes quadratic time and memory for tags that are left open. What comes out is made sound by nh3.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator

import nh3

MOST_TAGS = 20_000
MOST_OPEN = 100
MOST_OPEN_FORMATS = 20  # HTML (§13.2.4.3) opens each of these again in every paragraph after it
MOST_ATTRIBUTES = 20
LONGEST_TAG = 4_000  # characters
FORMATS = {"a", "b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u"}
VOID = {"br", "hr", "wbr"}
CLOSED_BY_THE_NEXT = {"p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot"}
OTHERS = {
    *("abbr", "address", "blockquote", "caption", "center", "cite", "del", "div", "dl", "h1", "h2", "h3", "h4", "h5"),
    *("h6", "ins", "kbd", "ol", "pre", "q", "samp", "span", "sub", "sup", "table", "ul", "bdi", "bdo"),
}
KNOWN = FORMATS | VOID | CLOSED_BY_THE_NEXT | OTHERS
ATTRIBUTES = {
    "*": {"align", "dir", "style", "valign"},
    "a": {"href"},
    "font": {"color", "face", "size"},
    "ol": {"start"},
    "table": {"border", "cellpadding", "cellspacing", "width"},
    "td": {"colspan", "rowspan", "width"},
    "th": {"colspan", "rowspan", "width"},
}
STYLES = {
    *("background-color", "color", "direction", "font-family", "font-size", "font-style", "font-weight"),
    *("text-align", "text-decoration", "vertical-align", "white-space"),
}
SCHEMES = {"http", "https", "mailto", "tel"}

TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?P<drop>style|script|title|template|noscript|svg|math|textarea|select|iframe)"
    r"(?=[\s/>])[^<>]*>.*?(?:</(?P=drop)(?=[\s/>])|\Z)[^<>]*>?"
    r"|<(?P<end>/?)(?P<name>[a-z][a-z0-9]*)(?P<rest>(?=[\s/>])[^<>]*)>"
    r"|<[/!?a-z][^<>]*>",
    re.IGNORECASE | re.DOTALL,
)
SURROGATE = re.compile("[\ud800-\udfff]")
ATTRIBUTE = re.compile(r"([a-z]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)


def safe(page: str) -> str:
    """The same content as a piece of HTML that can stand anywhere: nothing in it runs, loads, or leaves its place.

    Pictures are left out: those inside the mail do not come along, and others would tell on who reads. Time and size
    are linear in the input's.
    """
    return nh3.clean(
        SURROGATE.sub("\N{REPLACEMENT CHARACTER}", "".join(_written(page))),
        tags=KNOWN,
        attributes=ATTRIBUTES,
        filter_style_properties=STYLES,
        url_schemes=SCHEMES,
        url_relative="deny",
    )


def _written(page: str) -> Iterator[str]:
    """The text, escaped, and the known tags."""
    opened: Counter[str] = Counter()
    tags = at = 0
    for token in TOKEN.finditer(page):
        yield _text(page[at : token.start()])
        at = token.end()
        name = (token["name"] or "").lower()
        if name not in KNOWN or tags >= MOST_TAGS:
            continue
        tags += 1
        if token["end"]:
            if name in CLOSED_BY_THE_NEXT or opened[name] > 0:
                opened[name] -= 1
                yield f"</{name}>"
        elif _has_room(name, opened):
            opened[name] += 1
            yield f"<{name}{''.join(_attributes(name, token['rest'][:LONGEST_TAG]))}>"
    yield _text(page[at:])


def _has_room(name: str, opened: Counter[str]) -> bool:
    if name in VOID | CLOSED_BY_THE_NEXT:
        return True
    if name in FORMATS:
        return sum(opened[one] for one in FORMATS) < MOST_OPEN_FORMATS
    return sum(opened[one] for one in OTHERS) < MOST_OPEN


def _attributes(name: str, rest: str) -> Iterator[str]:
    known = ATTRIBUTES["*"] | ATTRIBUTES.get(name, set())
    for count, found in enumerate(ATTRIBUTE.finditer(rest)):
        if count < MOST_ATTRIBUTES and found[1].lower() in known:
            value = html.unescape(found[2] or found[3] or found[4] or "")
            yield f' {found[1].lower()}="{html.escape(value)}"'


def _text(text: str) -> str:
    return html.escape(html.unescape(text), quote=False)
