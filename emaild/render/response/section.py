"""`response.conf`: what a standard response says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from emaild.errors import InputError
from emaild.render.people import mailboxes
from emaild.settings import parse
from emaild.settings.ini import Fault, Place, read
from emaild.settings.option import SectionKind, option, options, same_name
from emaild.settings.properties import MimeProperties
from emaild.settings.reader import suggestion


@dataclass(frozen=True, kw_only=True)
class ResponseSection:
    """A standard response."""

    kind: ClassVar[SectionKind] = SectionKind(name="response", help="A standard response.")

    subject: str = option(parse.quoted, default="", ours=True, help="The subject; field codes in it are filled.")
    title: str = option(parse.text, default="", name="name", ours=True, help="What people call the response.")
    description: str = option(parse.text, default="", ours=True, help="What it is for.")
    sender: str = option(
        parse.text, default="", name="from", ours=True, help="The sender of its mails, as Desk <desk@example.com>."
    )
    attachments: tuple[str, ...] = option(
        parse.patterns,
        default="",
        ours=True,
        help="Which files of the folder attachments go with it, in that order. Empty: all of them, by name.",
    )


def section_of(path: Path, content: bytes, faults: list[Fault]) -> tuple[ResponseSection, dict[str, Place]]:
    """What that file says, and where, by the options' names; what is wrong in it goes to *faults*."""
    found, wrong = read([(path, content)])
    faults += wrong
    own = found.pop(ResponseSection.kind.name, None)
    faults += [Fault(other.place, other.name, "", "unknown section; expected [response]") for other in found.values()]
    known = {same_name(one.name): one for one in options(ResponseSection)}
    values: dict[str, Any] = {}
    places: dict[str, Place] = {}
    for spelling, given in own.options.items() if own else ():
        declared = known.get(spelling)
        if declared is None:
            near = suggestion(given.name, [one.name for one in known.values()])
            faults.append(Fault(given.place, "response", given.name, f"unknown option{near}"))
            continue
        values[declared.field] = declared.parser.read(given.text)
        places[declared.name] = given.place
    section = ResponseSection(**values)
    try:
        if section.sender and len(mailboxes((section.sender,), "from", MimeProperties())) != 1:
            raise InputError("from: expected one address")
    except InputError as error:
        faults.append(Fault(places["from"], "response", "from", str(error).removeprefix("from: ")))
    return section, places
