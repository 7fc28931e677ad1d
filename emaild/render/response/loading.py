"""Standard responses as they lie in folders: `responses/NAME/` with response.conf, body.txt, body.html, attachments/.

Nothing is kept in memory: a response is read when it is wanted, so that an edit counts from then on.
"""

from __future__ import annotations

import re
from pathlib import Path

from emaild.render.compose import Enclosed
from emaild.render.field_codes import FieldCodeError, check, compiled
from emaild.render.response.files import LARGEST_FILE, Refused, content_of, names_in, text_of
from emaild.render.response.section import ResponseSection, section_of
from emaild.render.response.values import HTML, SUBJECT, TEXT, Response, ResponseWrong
from emaild.settings.ini import Fault, Place

FOLDER, CONF, ATTACHMENTS = "responses", "response.conf", "attachments"
BODIES = {TEXT: "body.txt", HTML: "body.html"}
NAME = re.compile(r"(?![. ])[\w. -]{1,100}(?<![. ])")
MOST_ATTACHMENTS = 100
LONGEST_SHOWN = 40  # characters of a wrong name


def load(name: str, folders: tuple[Path, ...]) -> Response:
    """The standard response of that name, from the first of *folders* that has it.

    Raises:
        ResponseWrong: there is none, or something in it is wrong; all of it is told.
    """
    if not NAME.fullmatch(name):
        shown = repr(name if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]}...")
        raise ResponseWrong(
            (), f"{shown} is no name of a standard response; expected letters, digits, - _ . and spaces"
        )
    for folder in folders:
        found = folder / FOLDER / name
        if found.is_dir():
            if not found.resolve().is_relative_to((folder / FOLDER).resolve()):
                raise ResponseWrong((), f"the link {found} leads out of its folder; put the response there")
            return load_folder(found)
    places = ", ".join(str(folder / FOLDER) for folder in folders)
    raise ResponseWrong((), f"there is no standard response {name} in {places}")


def load_folder(folder: Path) -> Response:
    """The standard response in that folder.

    Raises:
        ResponseWrong: something in it is wrong; all of it is told.
    """
    faults: list[Fault] = []
    section, places = _section(folder, faults)
    bodies: dict[str, str] = {}
    for part, file in BODIES.items():
        try:
            bodies[part] = text_of(folder / file, folder)
            places[part] = Place(folder / file, 1)
        except FileNotFoundError:
            continue
        except Refused as refused:
            faults.append(Fault(Place(folder / file, refused.line), "", "", str(refused)))
            bodies[part] = ""
    if not bodies:
        faults.append(Fault(Place(folder, 1), "", "", "there is neither a body.txt nor a body.html"))
    response = Response(
        name=folder.name,
        subject=section.subject,
        **bodies,
        title=section.title,
        description=section.description,
        sender=section.sender,
        attachments=_attachments(folder, section, places.get(ATTACHMENTS, Place(folder / ATTACHMENTS, 1)), faults),
        places=places,
    )
    faults += [fault for part in (SUBJECT, *BODIES) for fault in _wrong_codes(response, part)]
    if faults:
        raise ResponseWrong(faults)
    return response


def _section(folder: Path, faults: list[Fault]) -> tuple[ResponseSection, dict[str, Place]]:
    path = folder / CONF
    try:
        return section_of(path, content_of(path, folder), faults)
    except FileNotFoundError:
        return ResponseSection(), {}
    except Refused as refused:
        faults.append(Fault(Place(path, 1), "", "", str(refused)))
        return ResponseSection(), {}


def _attachments(folder: Path, section: ResponseSection, place: Place, faults: list[Fault]) -> tuple[Enclosed, ...]:
    there = names_in(folder / ATTACHMENTS)
    found, room = [], LARGEST_FILE
    for name in (section.attachments or there)[:MOST_ATTACHMENTS]:
        try:
            if name not in there:
                raise Refused(f"there is no file {name} in {folder / ATTACHMENTS}")
            content = content_of(folder / ATTACHMENTS / name, folder, room)
        except (FileNotFoundError, Refused) as refused:
            faults.append(Fault(place, "", "", f"attachment {name}: {refused}"))
            continue
        room -= len(content)
        found.append(Enclosed(name=name, content=content))
    return tuple(found)


def _wrong_codes(response: Response, part: str) -> list[Fault]:
    try:
        compiled(response.part(part))
    except FieldCodeError:
        return [response.fault(part, said(error), error.line) for error in check(response.part(part))]
    return []


def said(error: FieldCodeError) -> str:
    """What is wrong with a code, behind its file and line."""
    return f"{error.problem} (column {error.column})"
