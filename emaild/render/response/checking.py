"""Everything that is wrong in an operator's templates, before a mail needs them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from emaild.render import forbidden, templates
from emaild.render.field_codes import FieldCodeError, check, compiled
from emaild.render.field_codes.lexer import START
from emaild.render.field_codes.objects import is_listed
from emaild.render.field_codes.tree import Call, Name, Node, Unary, spine
from emaild.render.response.files import Refused, names_in, text_of
from emaild.render.response.loading import FOLDER, load, said
from emaild.render.response.saved_codes import ENDING, misnamed, saved_code, saved_codes
from emaild.render.response.saved_codes import FOLDER as CODES
from emaild.render.response.values import HTML, SUBJECT, TEXT, Response, ResponseWrong
from emaild.render.simple_date_format import IllegalPattern, SimpleDateFormat
from emaild.render.transcript.tags import TAGS, places
from emaild.render.transcript.writing import DEFAULT_PATTERN, LONGEST_PATTERN
from emaild.settings.ini import Fault, Place

JINJA = (".txt", ".html", ".css")
DEEPEST = 4  # folders in folders that are looked through
KNOWN_TAGS = ("ChatTranscript", "ExtAgentReply", "Genesys_Chat_Transcript", "Timestamp")
LIKE_A_TAG = re.compile(r"\[\s{0,9}(\w{6,40})\s{0,9}\]|<\s{0,9}/?\s{0,9}([a-z]\w{6,40})\s{0,9}/?>", re.IGNORECASE)


def checked(folders: tuple[Path, ...]) -> tuple[list[Fault], list[Fault]]:
    """The faults in the templates of these folders, and the warnings; of those in the operator's and the shipped one.

    A fault keeps a mail from being sent; a warning is of something that works otherwise than it was meant.
    """
    faults: list[Fault] = []
    warnings: list[Fault] = []
    codes = {name.lower() for name in saved_codes(folders)}
    for folder in folders:
        faults += _saved_codes(folder)
        faults += _jinja(folder)
        faults += forbidden.faults(folder / forbidden.FILE)
        for name, code in saved_codes((folder,)).items():
            place = folder / CODES / f"{name}{ENDING}"
            warnings += [Fault(Place(place, line), "", "", wrong) for line, wrong in _unknown(code.text, codes)]
        for name in names_in(folder / FOLDER):
            if not (folder / FOLDER / name).is_dir():
                continue
            try:
                response = load(name, (folder,))
            except ResponseWrong as wrong:
                faults += wrong.faults or [Fault(Place(folder / FOLDER / name, 1), "", "", str(wrong))]
            else:
                warnings += [warning for part in (SUBJECT, TEXT, HTML) for warning in _doubts(response, part, codes)]
    return faults, warnings


def _saved_codes(folder: Path) -> Iterator[Fault]:
    for file in names_in(folder / CODES):
        path = folder / CODES / file
        try:
            if wrong := misnamed(file):
                raise Refused(wrong)
            found = [(error.line, said(error)) for error in check(saved_code(folder, file).text)]
        except FileNotFoundError:
            continue
        except Refused as refused:
            found = [(refused.line, str(refused))]
        for line, wrong in found:
            yield Fault(Place(path, line), "", "", wrong)


def _jinja(folder: Path, inside: str = "", depth: int = 0) -> Iterator[Fault]:
    """Of our own templates, which are all but responses and saved codes."""
    for name in names_in(folder / inside):
        at = f"{inside}/{name}".lstrip("/")
        path = folder / at
        if at in (FOLDER, CODES):
            continue
        if path.is_dir() and depth < DEEPEST:
            yield from _jinja(folder, at, depth + 1)
        elif path.suffix in JINJA:
            try:
                found = templates.fault(text_of(path, folder), at)
            except FileNotFoundError:
                continue
            except Refused as refused:
                found = refused.line, str(refused)
            if found:
                yield Fault(Place(path, found[0]), "", "", found[1])


def _doubts(response: Response, part: str, codes: set[str]) -> Iterator[Fault]:
    written = response.part(part)
    for line, wrong in _unknown(written, codes):
        yield response.fault(part, wrong, line)
    if part == SUBJECT:
        return
    for problem, offset in (*_stamps(written), *_misspelt(written)):
        yield response.fault(part, problem, _line(written, offset))


def _unknown(text: str, codes: set[str]) -> Iterator[tuple[int, str]]:
    """The names in codes that stand for nothing here, with their lines; of a text with a wrong code none."""
    for path, offset in _names(text):
        if path.lower() not in codes:
            wrong = f"{path} is neither a listed property nor a saved code; the mail is sent only where it is given"
            yield _line(text, offset), wrong


def _names(text: str) -> Iterator[tuple[str, int]]:
    """The names in codes that are no property's, with their places."""
    try:
        waiting: list[Node] = [part for part in compiled(text).parts if not isinstance(part, str)]
    except FieldCodeError:
        return
    while waiting:
        first, after = spine(waiting.pop())
        waiting += [binary.right for binary in after]
        match first:
            case Name(path, offset) if not is_listed(path):
                yield path, offset
            case Call(_, arguments):
                waiting += arguments
            case Unary(_, operand):
                waiting.append(operand)


def _stamps(text: str) -> Iterator[tuple[str, int]]:
    """What is wrong with the tags of a transcript; it is printed all the same, with the default pattern."""
    for place in places(text):
        if START in text[place.start : place.end]:
            continue  # what its code writes is known only in a mail
        if place.pattern is None:
            names = [tag["name"].lower() for tag in TAGS.finditer(text, place.start, place.end) if tag["name"]]
            if "timestamp" in names:
                yield f"<Timestamp> is not closed, or empty; times are written as {DEFAULT_PATTERN}", place.start
            elif len(names) == 1 and "/" not in text[place.start : place.end]:
                yield "<Genesys_Chat_Transcript> is not closed; expected </Genesys_Chat_Transcript>", place.start
            continue
        try:
            if len(place.pattern) > LONGEST_PATTERN:
                raise IllegalPattern(LONGEST_PATTERN + 1, "the pattern is too long")
            SimpleDateFormat(place.pattern)
        except IllegalPattern as refused:
            yield f"in <Timestamp>: {refused}; times are written as {DEFAULT_PATTERN}", place.start


def _misspelt(text: str) -> Iterator[tuple[str, int]]:
    for found in LIKE_A_TAG.finditer(text):
        word = found[1] or found[2]
        near = get_close_matches(word.lower(), [known.lower() for known in KNOWN_TAGS], n=1, cutoff=0.8)
        if near and near[0] != word.lower():
            meant = next(known for known in KNOWN_TAGS if known.lower() == near[0])
            yield f"{found[0]} is no tag; did you mean {meant}?", found.start()


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
