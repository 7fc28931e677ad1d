"""Header fields that nobody may give a mail out: the guide's "List of Forbidden Headers".

The list is a file of Java properties, of which only the keys count: one name of a field a line, or with `*` at its end
the beginning of names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from emaild.errors import InputError
from emaild.render.compose import OWN_FIELDS
from emaild.render.fields import FIELD_NAME, unfit
from emaild.render.response.files import Refused, content_of
from emaild.settings.ini import Fault, Place

FILE = "ForbiddenHeaders.properties"
LONGEST = 998  # bytes of a field's name and value
LONGEST_SHOWN = 60  # characters of a wrong name in an error
ALWAYS = (*OWN_FIELDS, "received", "return-path")
ALWAYS_BEGINNINGS = ("content-", "resent-")

LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
ENDS_OPEN = re.compile(r"(?<!\\)(?:\\\\)*\\\Z")  # an odd number of backslashes: the next line goes on with it
KEY = re.compile(r"(?:\\.|[^\\=: \t\f])*+", re.DOTALL)
ESCAPE = re.compile(r"\\(u(?P<code>[0-9A-Fa-f]{4})|.)", re.DOTALL)
BROKEN_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\u(?![0-9A-Fa-f]{4})")
NO_NAME = re.compile(r"\*.|\\|[,;]\Z", re.DOTALL)  # what RFC 5322 allows in one, and is meant otherwise here
MEANT = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


@dataclass(frozen=True)
class Forbidden:
    """The names that a list forbids, in lower case, each with where it stands; those that end in `*` by what is before
    it."""

    names: Mapping[str, Place] = field(default_factory=dict)
    beginnings: Mapping[str, Place] = field(default_factory=dict)

    def wrong_with(self, name: str, value: str) -> str:
        """Why nobody may give a mail that header field, on one line; empty: it may be given.

        Whatever the list says, the fields that a mail gets from what else is said of it, and those that only a mail on
        its way has, are refused.
        """
        if wrong := unfit(name, value):
            return wrong
        if len(name) + len(value.encode()) > LONGEST:
            return f"{name[:LONGEST_SHOWN]}: its name and value have more than {LONGEST} bytes"
        lower = name.lower()
        if lower in ALWAYS or lower.startswith(ALWAYS_BEGINNINGS):
            return f"the header field {name} is made from what else is given"
        if lower in self.names:
            return f"the header field {name} is forbidden by {self.names[lower]}"
        starts = (lower[:length] for length in range(len(lower) + 1))
        place = next((self.beginnings[start] for start in starts if start in self.beginnings), None)
        return f"the header field {name} is forbidden by {place}" if place else ""


def forbidden_headers(folders: tuple[Path, ...]) -> Forbidden:
    """The list of the first folder that has one; what the others have does not count then. Wrong lines forbid nothing.

    Raises:
        InputError: that folder's list cannot be read.
    """
    for folder in folders:
        path = folder / FILE
        try:
            found = [(number, key.lower()) for number, key in _keys(_text(path)) if not _wrong(key)]
        except FileNotFoundError:
            continue
        except Refused as refused:
            raise InputError(f"{path}: {refused}") from refused
        found.reverse()  # of a name that stands twice the first place is named
        places = {key: Place(path, number) for number, key in found}
        return Forbidden(
            names={key: place for key, place in places.items() if not key.endswith("*")},
            beginnings={key[:-1]: place for key, place in places.items() if key.endswith("*")},
        )
    return Forbidden()


def faults(path: Path) -> list[Fault]:
    """What is wrong in the list at that path; of one that is not there nothing."""
    try:
        found = [(number, _wrong(key)) for number, key in _keys(_text(path))]
    except FileNotFoundError:
        return []
    except Refused as refused:
        found = [(refused.line, str(refused))]
    return [Fault(Place(path, number), "", "", wrong) for number, wrong in found if wrong]


def _text(path: Path) -> str:
    """Java reads these files as ISO 8859-1, in which no byte is wrong.

    Raises:
        FileNotFoundError: there is none.
        Refused: it cannot be read.
    """
    try:
        return content_of(path, path.parent).removeprefix(b"\xef\xbb\xbf").decode("iso-8859-1")
    except FileNotFoundError as error:
        if path.is_symlink():
            raise Refused("it is a link to nothing") from error
        raise


def _wrong(key: str) -> str:
    """What is wrong with a key."""
    name = key.removesuffix("*")
    if (FIELD_NAME.fullmatch(name) or key == "*") and not NO_NAME.search(key):
        return ""
    shown = key if len(key) <= LONGEST_SHOWN else f"{key[: LONGEST_SHOWN - 3]}..."
    return f"{shown!r} is no name of a header field; expected one such as X-Mailer, or X-Spam-* for all that begin so"


def _keys(text: str) -> Iterator[tuple[int, str]]:
    """The keys of a file of Java properties, as java.util.Properties.load reads them, each with its first line."""
    waiting: list[str] = []  # the lines before that go on with this one
    first = 0
    for number, found in enumerate(LINE.finditer(text), start=1):
        line = found[1].lstrip(" \t\f")
        if not waiting:
            first = number
            if not line or line[0] in "#!":
                continue
        open_ended = ENDS_OPEN.search(line) is not None
        waiting += filter(None, [line[:-1] if open_ended else line])
        if waiting and not open_ended:
            yield first, _key("".join(waiting))
            waiting = []
    if waiting:
        yield first, _key("".join(waiting))


def _key(line: str) -> str:
    """The key on a line, its escapes resolved; one with a broken escape stays as it stands."""
    match = KEY.match(line)
    key = match[0] if match else ""
    if BROKEN_ESCAPE.search(key):
        return key

    def meant(escape: re.Match[str]) -> str:
        return chr(int(escape["code"], 16)) if escape["code"] else MEANT.get(escape[1], escape[1])

    return ESCAPE.sub(meant, key)
