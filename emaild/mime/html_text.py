"""HTML as a person reads it, without a browser.

Quoted mails become lines with `> ` in front, and the header above a quoted mail stands below a line of underscores:
so quoting.py sees both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from emaild.mime.html_tokens import Tag, characters, tokens
from emaild.mime.page_text import BLANK_LINE, DEEPEST, NEW_LINE, PageText, State


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


LOOK_BACK = 40  # open elements among which an end tag finds its start; the bound keeps hostile nesting linear
VOID = _names("area base br col embed hr img input link meta param source track wbr")
PARAGRAPHS = _names("p h1 h2 h3 h4 h5 h6 dl figure fieldset")
BLOCKS = _names(
    "address article aside blockquote body caption center dd details div dt footer form header html li main nav ol"
    " option pre section summary table tbody tfoot thead tr ul"
)
CELLS = _names("td th")
OF_TABLES = _names("td th tr tbody thead tfoot table body html")
CLOSED_BY_NEXT = {  # what ends where the next of its kind begins, and which elements keep the two apart
    "p": _names("div blockquote ul ol"),
    "li": _names("ul ol"),
    "dt": _names("dl"),
    "dd": _names("dl"),
    "td": _names("tr"),
    "th": _names("tr"),
    "tr": _names("tbody thead tfoot"),
    "a": _names(""),
}
UNSEEN = _names("template svg audio video object iframe datalist noframes")
TELLING = re.compile(
    r"hidden|display|visib|font|height|opacity|white-space|margin|MsoNormal|yahoo_quoted|RplyFwd|OutlookMessageHeader",
    re.IGNORECASE,
)
HIDING = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|(?:max-height|opacity)\s*:\s*0(?:\.0+)?(?![.\d]))",
    re.IGNORECASE,
)
FONT_SIZE = re.compile(r"(?:^|;)\s*font-size\s*:\s*(?:(0(?:\.0+)?(?![.\d])|1px)|\S)", re.IGNORECASE)
PRESERVED = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)", re.IGNORECASE)
NO_MARGIN = re.compile(r"(?:^|;)\s*margin(?:-top|-bottom)?\s*:\s*0", re.IGNORECASE)
NO_BORDER = re.compile(r"border(?:-left)?\s*:\s*(?:none|0)", re.IGNORECASE)
LINKED = re.compile(r"(?:https?|ftp|mailto|tel):\S{1,2000}\Z", re.IGNORECASE)
SAID_ANYWAY = re.compile(r"\A\w+:(?://)?(?:www\.)?|/\Z", re.IGNORECASE)


def readable(html: str) -> str:
    """The text of an HTML page: paragraphs and items as lines, cells a tab apart, addresses behind their links.

    What a reader does not see is left out; of a quoted mail each line has `> ` in front. Any text gives one.
    """
    reader = _Reader()
    for token in tokens(html):
        if isinstance(token, str):
            reader.say(characters(token))
        elif token.end:
            reader.end(token.name)
        else:
            reader.start(token)
    reader.close(len(reader.open))
    return reader.page.text()


@dataclass(frozen=True, slots=True)
class _Element:
    """An open element, and what held before it."""

    name: str
    before: State
    space: int
    link: str = ""


@dataclass
class _Reader:
    """Goes through the page; `open` are the elements that it is in."""

    page: PageText = field(default_factory=PageText)
    open: list[_Element] = field(default_factory=list)
    label: list[str] | None = None
    """What the link says that is open."""

    def say(self, text: str) -> None:
        if self.label is not None:
            self.label.append(text)
        self.page.say(text)

    def start(self, tag: Tag) -> None:
        if tag.name in CLOSED_BY_NEXT:
            self._close_last(tag.name)
        if tag.name in VOID:
            self._void(tag)
            return
        before, values = self.page.state, {}
        if tag.name in ("a", "blockquote", "ol") or TELLING.search(tag.attributes):
            values = tag.values()
        space = _space(tag.name, values)
        if space:
            self.page.ask(space)
        if values:
            self._styled(values)
        self._begin(tag.name, values)
        self.open.append(_Element(tag.name, before, space, self._link(values) if tag.name == "a" else ""))

    def end(self, name: str) -> None:
        """An end tag ends all within its element; in the cell of a table it ends nothing outside."""
        if name == "br":
            self.page.line_break()
        for depth, one in enumerate(reversed(self.open[-LOOK_BACK:]), 1):
            if one.name == name:
                self.close(depth)
                return
            if one.name in CELLS and name not in OF_TABLES:
                return

    def close(self, count: int) -> None:
        """End the *count* innermost elements."""
        for _ in range(count):
            one = self.open.pop()
            if one.name == "a":
                self._end_link(one.link)
            elif one.name in CELLS:
                self.page.end_cell()
            if one.space:
                self.page.ask(one.space)
            self.page.state = one.before

    def _close_last(self, name: str) -> None:
        kinds = CELLS if name in CELLS else (name,)
        for depth, one in enumerate(reversed(self.open[-LOOK_BACK:]), 1):
            if one.name in kinds:
                self.close(depth)
                return
            if one.name in CLOSED_BY_NEXT[name] or one.name == "table" or (one.name in CELLS and name != "tr"):
                return

    def _void(self, tag: Tag) -> None:
        if tag.name == "br":
            self.page.line_break()
        elif tag.name == "hr":
            self.page.rule()
        elif tag.name == "img":
            self.say(tag.values().get("alt", ""))

    def _begin(self, name: str, values: dict[str, str]) -> None:
        page = self.page
        match name:
            case "td" | "th":
                page.begin_cell()
            case "tr":
                page.begin_row()
            case "li":
                page.begin_item()
            case "ul":
                page.begin_list(None)
            case "ol":
                first = values.get("start", "")
                page.begin_list(int(first) if re.fullmatch("[0-9]{1,9}", first) else 1)
            case "pre":
                page.change(preserved=True)
            case "blockquote" if "cite" in values.get("type", "") or not NO_BORDER.search(values.get("style", "")):
                self._quote()
            case _ if name in UNSEEN:
                page.change(hidden=True)

    def _styled(self, values: dict[str, str]) -> None:
        """What attributes say of an element: whether it is seen, and whether it is a quoted mail or its header."""
        page, style, marks = self.page, values.get("style", ""), f"{values.get('class', '')} {values.get('id', '')}"
        if "hidden" in values or HIDING.search(style):
            page.change(hidden=True)
        if size := FONT_SIZE.search(style):
            page.change(tiny=bool(size[1]))
        if PRESERVED.search(style):
            page.change(preserved=True)
        if "yahoo_quoted" in marks:
            self._quote()
        elif "RplyFwdMsg" in marks or "OutlookMessageHeader" in marks:
            page.rule()

    def _quote(self) -> None:
        self.page.change(quotes=min(self.page.state.quotes + 1, DEEPEST))

    def _link(self, values: dict[str, str]) -> str:
        self.label = []
        return values.get("href", "").strip()

    def _end_link(self, address: str) -> None:
        """The address of a link stands behind it, where its text does not say it."""
        said = "".join(self.label or ()).strip()
        self.label = None
        if said and LINKED.match(address):
            bare = SAID_ANYWAY.sub("", address.partition("?")[0] if address[:7].lower() == "mailto:" else address)
            if bare.lower() not in said.lower():
                self.page.say(f" <{address}>")


def _space(name: str, values: dict[str, str]) -> int:
    """What stands around an element."""
    if name in PARAGRAPHS:
        close = "MsoNormal" in values.get("class", "") or NO_MARGIN.search(values.get("style", ""))
        return NEW_LINE if close else BLANK_LINE
    if name == "blockquote":
        return BLANK_LINE
    return NEW_LINE if name in BLOCKS else 0
