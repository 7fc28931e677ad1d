"""Standard responses with a chat in them."""

from __future__ import annotations

from emaild.render.transcript import Css, Rendered, with_transcript
from emaild.shipped import shipped
from tests.unit.render.transcript.chats import seen

FOLDERS = (shipped("templates"),)
TAG = "<Genesys_Chat_Transcript><Timestamp>{}</Timestamp></Genesys_Chat_Transcript>"


def made(text: str, html: str, *events: str, css: Css = Css.OWN, locale: str = "en_US") -> Rendered:
    return with_transcript(text, html, seen(*events, subject="Order 17"), folders=FOLDERS, css=css, locale=locale)


def as_text(*events: str) -> list[str]:
    """The lines of the plain part after its head."""
    return made("[ChatTranscript]", "", *events).text.partition("Subject: Order 17\n\n")[2].splitlines()


def as_html(*events: str) -> str:
    return made("", "[ChatTranscript]", *events).html
