"""The style of a transcript in HTML: the response's own or ours, in a style element and on the elements."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import css_inline

from emaild.errors import InputError
from emaild.render.templates import rendered
from emaild.render.transcript.lines import InlinedPart
from emaild.render.transcript.rows import Page
from emaild.render.transcript.tags import Place
from emaild.settings.processing import Css

STYLES = re.compile(
    r"<!--.*?(?:-->|\Z)"  # a style in a comment, as for one version of Outlook, is none
    r"|<style(?=[\s>])[^<>]{0,1000}>(?P<style>.*?)(?:</style|\Z)",
    re.IGNORECASE | re.DOTALL,
)
HEADS = ("head", "html", "!doctype")  # where a style belongs, the best first
# Not by re.IGNORECASE, which would look at each character and not only at what follows each `<`.
START = re.compile(
    "<(" + "|".join("".join(f"[{one}{one.upper()}]" for one in head) for head in HEADS) + r")(?:\s[^<>]{0,1000})?>"
)
# Rules whose selectors ask for names, classes and what is in what, and so for the same in all messages of one party.
PLAIN = re.compile(r"(?:\s++|/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*+/|[\w\s.#*>,-]++\{[^{}\"'\\/@]*+\})*+")
INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class Style:
    """`added` is for a style element in the response's head; `inlined` for the transcript's elements.

    `there` is false where nothing styles the transcript.
    """

    there: bool = True
    added: str = ""
    inlined: str = ""

    def on_elements(self, page: Page, transcript: str) -> list[str]:
        """The HTML of a transcript, filled, in pieces, with its style on its elements.

        Only the transcript is rewritten: the response stays as it was written, and however deep its elements lie in
        each other nobody builds a tree of them. Where no selector can tell messages of one party apart, one of each
        gets its style before the others are filled in.

        Raises:
            InputError: the stylesheet cannot be used.
        """
        if not self.inlined:
            return page.filled(transcript)
        try:
            if PLAIN.fullmatch(self.inlined):
                inlined, marked = replace(page, part=InlinedPart()), INLINER.inline_fragment(transcript, self.inlined)
                if inlined.marks.all_in(marked):
                    return inlined.filled(marked)
            return [INLINER.inline_fragment("".join(page.filled(transcript)), self.inlined)]
        except (css_inline.InlineError, ValueError) as error:
            raise InputError(f"the style of a chat transcript: {error}") from error

    def in_head(self, pieces: list[str]) -> str:
        """The response in one, with our style element in its head, or where that would begin."""
        if not self.added:
            return "".join(pieces)
        before = pieces[0]
        if "head" in _ends(before):  # no need to look through the transcript
            return "".join([self._in_head(before), *pieces[1:]])
        return self._in_head("".join(pieces))

    def _in_head(self, page: str) -> str:
        ends = _ends(page)
        at = next((ends[head] for head in HEADS if head in ends), 0)
        return f'{page[:at]}<style type="text/css">\n{self.added}</style>\n{page[at:]}'


def _ends(page: str) -> dict[str, int]:
    """Where the first tag of each kind that a style may follow ends."""
    found: dict[str, int] = {}
    for tag in START.finditer(page):
        found.setdefault(tag[1].lower(), tag.end())
    return found


def style_of(page: str, found: tuple[Place, ...], css: Css, folders: tuple[Path, ...], *, dark: bool) -> Style:
    """The style for a response with the transcript in those places.

    The response's own is inlined where it has all three tags: Genesys_Chat_Transcript, Timestamp and style.

    Raises:
        InputError: the template `transcript/transcript.css` cannot be filled.

    Source: the guide, "CSS for HTML Chat Transcripts".
    """
    own = [style["style"] for style in STYLES.finditer(page) if style["style"] is not None]
    if own or css is Css.OWN:
        complete = css is Css.INLINE and any(place.pattern for place in found)
        return Style(there=bool(own), inlined="\n".join(own) if complete else "")
    sheet = rendered("transcript/transcript.css", folders, {"dark": dark})
    return Style(added=sheet, inlined=sheet if css is Css.INLINE else "")
