"""What an external resource answered, as it goes into a standard response."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

from emaild.render.response.tags import REPLY_MARK
from emaild.render.safe_html import safe
from emaild.render.transcript.writing import BODY_END


@dataclass(frozen=True, kw_only=True)
class ExtReply:
    """The new text of an external resource's mail, without what it quotes; `html` where it is given as that too."""

    text: str = field(repr=False)
    html: str = field(default="", repr=False)

    def as_text(self) -> str:
        """For the text part: without empty lines at either end, so that those around the tag count."""
        return self.text.replace("\r\n", "\n").strip("\r\n")

    def as_html(self) -> str:
        """For the HTML part: its HTML made safe, or its text escaped, with its line breaks."""
        return safe(self.html) if self.html.strip() else text_as_html(self.as_text())


def text_as_html(text: str) -> str:
    """Plain text as HTML that reads the same."""
    return html.escape(text, quote=False).replace("\n", "<br>\n")


def with_place(text: str, page: str) -> tuple[str, str]:
    """Both parts with a place of the reply: the author's, else one at the end, where a transcript would stand."""
    if text and REPLY_MARK not in text:
        text = f"{text.rstrip()}\n\n{REPLY_MARK}\n"
    if page and REPLY_MARK not in page:
        ends = [end.start() for end in BODY_END.finditer(page)]
        at = ends[-1] if ends else len(page)
        page = f"{page[:at]}<div>{REPLY_MARK}</div>{page[at:]}"
    return text, page
