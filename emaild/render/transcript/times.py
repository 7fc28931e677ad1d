"""When the entries of a transcript were, as text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from emaild.render.simple_date_format import SimpleDateFormat
from emaild.render.transcript.values import Transcript


@dataclass(frozen=True)
class Times:
    """When the chat began and when each entry was, as text; empty where the chat does not say when it began."""

    started: str
    each: list[str]


def times_of(transcript: Transcript, form: SimpleDateFormat) -> Times:
    """The times of a chat in that form."""
    start = transcript.started
    if start is None:
        return Times("", [""] * len(transcript.entries))
    each: list[str] = []
    last, written = 0, form.minute(start)
    for entry in transcript.entries:
        minute, second = divmod(start.second + entry.shift, 60)
        if minute != last:
            last, written = minute, form.minute(start + timedelta(minutes=minute))
        each.append(written(second))
    return Times(form.format(start), each)
