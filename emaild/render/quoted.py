"""The mail that a mail of ours answers or passes on, quoted under it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from babel.dates import format_datetime
from markupsafe import Markup

from emaild.message import Facts
from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.locales import locale as known_locale
from emaild.render.safe_html import safe
from emaild.render.templates import rendered
from emaild.settings.processing import ProcessingSection

MOST = 500_000  # characters of the mail that are quoted, of either part
LONGEST_FIELD = 2_000  # characters of a field of its header
LEFT_OUT = "[...]"
USUAL_LOCALE = "en_US"


@dataclass(frozen=True, kw_only=True)
class Quoted:
    """The same for both parts; it begins with the separator and ends with a line end."""

    text: str = field(repr=False)
    html: str = field(repr=False)


def quoted(said: Facts, *, processing: ProcessingSection, locale: str, folders: tuple[Path, ...]) -> Quoted:
    """The mail that says that, quoted as the options quote-* have it.

    The date is in the zone in which its sender wrote it, in the language of *locale*. HTML is made safe; a mail
    without any has its text there. Of a mail longer than MOST the rest is left out, with a mark.

    Raises:
        InputError: one of the templates `quoted/quoted.txt` and `.html` is wrong.
    """
    values = {
        "separator": processing.quote_separator,
        "fields": _fields(said, processing, locale),
        "prefix": processing.quote_prefix,
    }
    text = _cut(said.text.replace("\r\n", "\n").rstrip("\n"))
    page = Markup(safe(_cut(said.html, html=True))) if said.html.strip() else Markup("<br>\n").join(text.split("\n"))  # noqa: S704
    return Quoted(
        text=rendered("quoted/quoted.txt", folders, {**values, "lines": text.split("\n")}),
        html=rendered("quoted/quoted.html", folders, {**values, "content": page}),
    )


def _fields(said: Facts, processing: ProcessingSection, locale: str) -> list[tuple[str, str]]:
    """The labels with what stands after them; a field that the mail does not have is left out."""
    sender = f"{said.sender_personal} <{said.sender}>" if said.sender_personal else said.sender
    fields = (
        (processing.quote_from, sender),
        (processing.quote_sent, _date(said.date, locale)),
        (processing.quote_to, ", ".join(said.to)),
        (processing.quote_cc, ", ".join(said.cc)),
        (processing.quote_subject, said.subject),
    )
    return [(label, " ".join(value[:LONGEST_FIELD].split())) for label, value in fields if value.strip()]


def _date(date: datetime | None, locale: str) -> str:
    if date is None:
        return ""
    try:
        known = known_locale(locale)
    except Wrong:
        known = known_locale(USUAL_LOCALE)
    return format_datetime(date, "long", locale=known)


def _cut(part: str, *, html: bool = False) -> str:
    if len(part) <= MOST:
        return part
    kept = part[:MOST]
    if html and kept.rfind("<") > kept.rfind(">"):  # not in the middle of a tag
        kept = kept[: kept.rfind("<")]
    return f"{kept}\n{LEFT_OUT}"
