"""A standard response as it was read, and as it was rendered."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from emaild.errors import InputError
from emaild.render.compose import Enclosed
from emaild.render.transcript import WrongTimestamp
from emaild.settings.ini import Fault, Place

SUBJECT, TEXT, HTML = "subject", "text", "html"


class ResponseWrong(InputError):
    """A standard response that is not sent: `faults` say what is wrong and where, each a line of the text.

    Without faults it is not there at all, and the text is *problem*.
    """

    exit_code: ClassVar[int] = os.EX_DATAERR

    def __init__(self, faults: Sequence[Fault], problem: str = "") -> None:
        super().__init__(problem or "\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, kw_only=True)
class Response:
    """A standard response. `places` are those of `subject`, `text` and `html`, where they are given."""

    name: str
    subject: str = ""
    text: str = ""
    html: str = ""
    title: str = ""
    description: str = ""
    sender: str = ""
    attachments: tuple[Enclosed, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)

    def part(self, name: str) -> str:
        """The subject, text or HTML."""
        return {SUBJECT: self.subject, TEXT: self.text, HTML: self.html}[name]

    def fault(self, part: str, problem: str, line: int = 1) -> Fault:
        """Something wrong in that line of a part."""
        place = self.places.get(part, Place(Path(self.name), 1))
        section, option = ("response", SUBJECT) if part == SUBJECT else ("", "")
        return Fault(Place(place.file, place.line + line - 1), section, option, problem)


@dataclass(frozen=True, kw_only=True)
class RenderedResponse:
    """What goes into a mail. `subject` is one line; `sender` is empty where the response names none."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    sender: str = ""
    attachments: tuple[Enclosed, ...] = ()
    notices: tuple[WrongTimestamp, ...] = ()
