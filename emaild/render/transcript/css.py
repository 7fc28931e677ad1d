"""The style of a transcript in HTML: the response's own or ours, in a style element and on the elements."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import css_inline

from emaild.errors import InputError
from emaild.render.templates import rendered
from emaild.render.transcript.tags import Place
from emaild.settings.processing import Css

STYLES = re.compile(
    r"<!--.*?(?:-->|\Z)"  # a style in a comment, as for one version of Outlook, is none
    r"|<style(?=[\s>])[^<>]{0,1000}>(?P<style>.*?)(?:</style|\Z)",
    re.IGNORECASE | re.DOTALL,
)
STARTS = tuple(re.compile(rf"<{start}(?:\s[^<>]{{0,1000}})?>", re.IGNORECASE) for start in ("head", "html", "!doctype"))
INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class Style:
    """`added` is for a style element in the response's head; `inlined` for the transcript's elements.

    `there` is false where nothing styles the transcript.
    """

    there: bool = True
    added: str = ""
    inlined: str = ""

    def on_elements(self, transcript: str) -> str:
        """The HTML of a transcript with its style on its elements.

        Only the transcript is rewritten: the response stays as it was written, and however deep its elements lie in
        each other nobody builds a tree of them.

        Raises:
            InputError: the stylesheet cannot be used.
        """
        try:
            return INLINER.inline_fragment(transcript, self.inlined) if self.inlined else transcript
        except (css_inline.InlineError, ValueError) as error:
            raise InputError(f"the style of a chat transcript: {error}") from error

    def in_head(self, page: str) -> str:
        """The response with our style element in its head, or where that would begin."""
        if not self.added:
            return page
        at = next((tag.end() for start in STARTS if (tag := start.search(page))), 0)
        return f'{page[:at]}<style type="text/css">\n{self.added}</style>\n{page[at:]}'


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
