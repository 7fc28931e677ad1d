"""A standard response with a chat transcript in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from emaild.render.simple_date_format import IllegalPattern, SimpleDateFormat
from emaild.render.transcript.css import Style, style_of
from emaild.render.transcript.lines import HtmlPart, TextPart
from emaild.render.transcript.rows import Page, alike
from emaild.render.transcript.tags import Place, places, put
from emaild.render.transcript.times import times_of
from emaild.render.transcript.values import Transcript
from emaild.settings.processing import Css

DEFAULT_PATTERN = "yyyy-MM-dd'T'HH:mm:ss"
LONGEST_PATTERN = 200  # characters: each entry of a transcript has its time

BODY_END = re.compile(r"</body\s{0,9}>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WrongTimestamp:
    """A pattern in a Timestamp tag that SimpleDateFormat refuses, and why; the default one was used (event 30001)."""

    pattern: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """Both parts of a response with the transcript in them."""

    text: str
    html: str
    notices: tuple[WrongTimestamp, ...] = ()


def with_transcript(
    text: str,
    html: str,
    transcript: Transcript,
    *,
    locale: str = "en_US",
    folders: tuple[Path, ...],
    css: Css = Css.INLINE,
    dark: bool = False,
) -> Rendered:
    """Both parts of a response with the transcript in the place of its tags; at the end of a part that has none.

    Field codes and other tags must be filled before: nothing in a transcript is ever read as one. An empty part stays
    empty unless both are. *locale* is that of the times; *folders* hold the templates `transcript/transcript.html`,
    `.txt` and `.css` and `transcript/words.txt`; *dark* is the theme of the default stylesheet.

    Raises:
        InputError: a template is wrong.

    Source: the guide, "Chat Transcripts".
    """
    wrong: list[WrongTimestamp] = []
    # Cached, so that each wrong pattern is told of once.
    times = cache(lambda pattern: times_of(transcript, _times(pattern, locale, wrong)))
    rows = alike(transcript)
    in_text, in_html = places(text), places(html)
    style = style_of(html, in_html, css, folders, dark=dark) if html else Style()

    @cache
    def as_text(pattern: str | None) -> list[str]:
        page = Page(transcript, times(pattern), rows, TextPart())
        return page.filled(page.rendered(folders))

    @cache
    def as_html(pattern: str | None) -> list[str]:
        page = Page(transcript, times(pattern), rows, HtmlPart())
        return style.on_elements(page, page.rendered(folders, styled=style.there))

    if text or not html:
        text = (
            "".join(put(text, in_text, as_text))
            if in_text
            else f"{text.rstrip()}\n\n{''.join(as_text(None))}\n".lstrip("\n")
        )
    if html:
        ends = [end.start() for end in BODY_END.finditer(html)]
        end = ends[-1] if ends else len(html)
        html = style.in_head(put(html, in_html or (Place(end, end),), as_html))
    return Rendered(text=text, html=html, notices=tuple(wrong))


def _times(pattern: str | None, locale: str, wrong: list[WrongTimestamp]) -> SimpleDateFormat:
    """The format of that pattern; where it is wrong, which is noted, or missing, the default one."""
    try:
        if pattern is not None and len(pattern) > LONGEST_PATTERN:
            raise IllegalPattern(LONGEST_PATTERN + 1, "the pattern is too long")
        return SimpleDateFormat(DEFAULT_PATTERN if pattern is None else pattern, locale)
    except IllegalPattern as refused:
        wrong.append(WrongTimestamp((pattern or "")[:LONGEST_PATTERN], str(refused)))
        return SimpleDateFormat(DEFAULT_PATTERN, locale)
