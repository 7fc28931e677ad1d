"""A standard response filled: field codes, the chat transcript, an external resource's reply."""

from __future__ import annotations

import re
from pathlib import Path

from emaild.render.field_codes import FieldCodeError, Scope, render
from emaild.render.response.ext_reply import ExtReply, with_place
from emaild.render.response.tags import REPLY_MARK, Tags
from emaild.render.response.values import HTML, SUBJECT, TEXT, RenderedResponse, Response, ResponseWrong
from emaild.render.transcript import Css, Rendered, Transcript, with_transcript
from emaild.render.transcript.tags import places
from emaild.settings.ini import Fault

UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def rendered(
    response: Response,
    scope: Scope,
    *,
    transcript: Transcript | None = None,
    ext_reply: ExtReply | None = None,
    locale: str = "en_US",
    folders: tuple[Path, ...],
    css: Css = Css.INLINE,
    dark: bool = False,
) -> RenderedResponse:
    """The response with its field codes filled, then its tags; nothing else in it is interpreted.

    Values are escaped in HTML, without line breaks in the subject, and never read as a tag. *locale* is that of a
    transcript's times; *folders*, *css* and *dark* are as `with_transcript` has them. A part without a tag has the
    transcript, or the reply, at its end; a part that the response does not have is not made.

    Raises:
        ResponseWrong: a code cannot be filled, or what a tag asks for is not there; all of it is told.
        InputError: a template of a transcript is wrong.

    Source: the guide, "Chat Transcripts" and "Customizing the Format of External Resource E-mails".
    """
    tags = Tags()
    scope = tags.taken_from_codes(scope)
    filled: dict[str, str] = {}
    faults: list[Fault] = []
    for part in (SUBJECT, TEXT, HTML):
        written = response.part(part)
        try:
            filled[part] = render(written if part == SUBJECT else tags.taken(written), scope, html=part == HTML)
        except FieldCodeError as error:
            faults.append(response.fault(part, error.problem, error.line))
    if faults:
        raise ResponseWrong(faults)
    text, html = tags.put_back(filled[TEXT]), tags.put_back(filled[HTML])
    if faults := _missing(response, {TEXT: text, HTML: html}, transcript is None, ext_reply is None):
        raise ResponseWrong(faults)
    both = Rendered(text=text, html=html)
    if transcript is not None:
        both = with_transcript(text, html, transcript, locale=locale, folders=folders, css=css, dark=dark)
    text, html = with_place(both.text, both.html) if ext_reply else (both.text, both.html)
    return RenderedResponse(
        subject=" ".join(UNPRINTABLE.sub(" ", filled[SUBJECT]).split()),
        text=tags.finished(text, ext_reply.as_text() if ext_reply else ""),
        html=tags.finished(html, ext_reply.as_html() if ext_reply else ""),
        sender=response.sender,
        attachments=response.attachments,
        notices=both.notices,
    )


def _missing(response: Response, parts: dict[str, str], no_chat: bool, no_reply: bool) -> list[Fault]:
    """What the author's tags ask for and nobody gave."""
    faults = []
    for part, said in parts.items():
        if no_chat and (found := places(said)):
            wrong = "a tag asks for a chat transcript; none is given"
            faults.append(response.fault(part, wrong, _line(said, found[0].start)))
        if no_reply and REPLY_MARK in said:
            wrong = "[ExtAgentReply] asks for an external resource's reply; none is given"
            faults.append(response.fault(part, wrong, _line(said, said.index(REPLY_MARK))))
    return faults


def _line(part: str, at: int) -> int:
    return part.count("\n", 0, at) + 1
