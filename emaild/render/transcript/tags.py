"""Where a part of a standard response wants its transcript, and how it wants the time written."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

MOST_PLACES = 10  # in one part that get the transcript; the tags beyond are taken out
TAGS = re.compile(
    r"(?P<old>\[\s{0,9}ChatTranscript\s{0,9}\])"
    # HTML editors write `<` and `>` as references where they do not know the tag.
    r"|(?:<|&lt;|&\#60;|&\#x3c;)\s{0,9}(?P<end>/?)\s{0,9}(?P<name>Genesys_Chat_Transcript|Timestamp)(?![\w-])"
    r"[^<>]{0,300}?(?P<empty>/?)(?:>|&gt;|&\#62;|&\#x3e;)",
    re.IGNORECASE,
)
MARKUP = re.compile(r"<[^<>]{0,1000}>")


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of a part that the transcript takes the place of, from `start` to `end`."""

    start: int
    end: int
    pattern: str | None = None
    """How to write the time; None where the tag does not say."""


def places(part: str) -> tuple[Place, ...]:
    """The transcript's places in a part, text or HTML, in their order.

    `[ChatTranscript]`, or `<Genesys_Chat_Transcript>` to its end tag, with everything in between; one that has no end
    tag is a place by itself. Case does not matter; attributes, white space and an editor's markup in it are passed
    over.

    Source: the guide, "Chat Transcripts".
    """
    found: list[Place] = []
    opened: re.Match[str] | None = None
    stamps: list[re.Match[str]] = []
    for tag in TAGS.finditer(part):
        if tag["name"] and tag["name"].lower() == "timestamp":
            stamps.append(tag)
        elif tag["end"]:
            if opened:
                found.append(Place(opened.start(), tag.end(), _pattern(part, stamps)))
            opened = None
        else:
            if opened:
                found.append(Place(opened.start(), opened.end()))
            opened, stamps = (None if tag["old"] or tag["empty"] else tag), []
            if not opened:
                found.append(Place(tag.start(), tag.end()))
    if opened:
        found.append(Place(opened.start(), opened.end()))
    return tuple(found)


def put(part: str, found: tuple[Place, ...], transcript: Callable[[str | None], list[str]]) -> list[str]:
    """The part in pieces, its places filled with what *transcript* says for each pattern."""
    pieces: list[str] = []
    at = 0
    for number, place in enumerate(found):
        pieces += [part[at : place.start], *(transcript(place.pattern) if number < MOST_PLACES else [])]
        at = place.end
    return [*pieces, part[at:]]


def _pattern(part: str, stamps: list[re.Match[str]]) -> str | None:
    """What stands in the first Timestamp, its white space collapsed to one blank each."""
    if len(stamps) < 2 or stamps[0]["end"] or not stamps[1]["end"]:
        return None
    written = html.unescape(MARKUP.sub(" ", part[stamps[0].end() : stamps[1].start()]))
    return " ".join(written.split()) or None
