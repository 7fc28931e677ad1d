"""The XML form: an application's lists of options, as nested lists of pairs.

    <CfgApplication><list_pair key="options"><list_pair key="pop-client"><str_pair key="type" value="POP3"/>...

What counts is the keys and not the names of the elements around them, for these differ between Genesys's tools.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler, ErrorHandler
from xml.sax.xmlreader import AttributesImpl, Locator

from defusedxml import sax
from defusedxml.common import DefusedXmlException

from emaild.errors import InputError
from emaild.settings.exports.rows import Row
from emaild.settings.ini import Fault, Place
from emaild.settings.mailbox import MailboxSection
from emaild.settings.option import section_kind
from emaild.settings.processing import ProcessingSection
from emaild.settings.reader import ALIASES
from emaild.settings.way_out import WayOutSection

DEEPEST = 100  # elements; a real export has about ten
LISTS = ("options", "annex", "userproperties")  # lists of sections, and no sections themselves
OURS = (MailboxSection, WayOutSection, ProcessingSection)


def rows_of(path: Path, content: bytes) -> tuple[list[Row], list[Fault]]:
    """The rows of the one E-mail Server in it, and a warning for each other application.

    Raises:
        InputError: it is broken, nested too deep, has a document type or entities, or more than one E-mail Server;
            says the line.
    """
    handler = _Handler(path)
    try:
        sax.parse(io.BytesIO(content), handler, ErrorHandler(), forbid_dtd=True)
    except DefusedXmlException:  # a ValueError too
        handler.refuse("a document type (DTD) or an entity; take it out, an export needs none")
    except SAXParseException as error:
        handler.refuse(f"broken XML: {error.getMessage()}")
    except (LookupError, ValueError) as error:  # an encoding that is not known
        handler.refuse(f"broken XML: {error}")
    rows, faults = _one_server(path, handler.applications)
    return rows, [*handler.faults, *faults]


@dataclass
class _Application:
    """What was found in one application, or outside of all of them."""

    line: int
    rows: list[Row] = field(default_factory=list)

    @property
    def is_ours(self) -> bool:
        names = {ALIASES.get(row.section.lower(), row.section) for row in self.rows}
        return any(section_kind(kind).matches(name) for kind in OURS for name in names)


def _one_server(path: Path, applications: list[_Application]) -> tuple[list[Row], list[Fault]]:
    filled = [one for one in applications if one.rows]
    ours = [one for one in filled if one.is_ours]
    if len(ours) > 1:
        raise InputError(f"{path}:{ours[1].line}: a second E-mail Server; export one application at a time")
    taken = ours or filled[:1]
    faults = [
        Fault(Place(path, one.line), "", "", "the options of another application; they are left out")
        for one in filled
        if one not in taken
    ]
    return [row for one in taken for row in one.rows], faults


@dataclass
class _Element:
    """An open element; `key` is None where it has none, `value` where it has no such attribute."""

    name: str
    key: str | None
    value: str | None
    line: int
    is_list: bool
    text: list[str] = field(default_factory=list)


class _Handler(ContentHandler):
    """Gathers rows while the parser walks through the file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._open: list[_Element] = []
        self.applications = [_Application(1)]
        self.faults: list[Fault] = []

    def setDocumentLocator(self, locator: Locator) -> None:
        self._locator = locator

    @property
    def _line(self) -> int:
        return self._locator.getLineNumber() or 1

    def refuse(self, message: str) -> NoReturn:
        """Raises InputError with the line that is being read."""
        raise InputError(f"{self._path}:{self._line}: {message}")

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        if len(self._open) >= DEEPEST:
            self.refuse(f"more than {DEEPEST} elements in each other")
        local = _local(name)
        given = {_local(attribute): value for attribute, value in attrs.items()}
        key = given.get("key", given.get("name") if local in ("section", "option") else None)
        if local == "cfgapplication":
            self.applications.append(_Application(self._line))
        if key is not None and self._open:
            self._open[-1].is_list = True
        self._open.append(_Element(local, key, given.get("value"), self._line, "list" in local or local == "section"))
        if key is not None and self._open[-1].is_list and self._section():
            self.applications[-1].rows.append(Row(self._section(), "", "", self._line))

    def characters(self, content: str) -> None:
        self._open[-1].text.append(content)

    def endElement(self, name: str) -> None:
        element = self._open.pop()
        if element.name == "cfgapplication":
            self.applications.append(_Application(self._line))
        if element.key is None or element.is_list:
            return
        section, option = self._section(), element.key.strip()
        if section:
            value = "".join(element.text).strip() if element.value is None else element.value
            self.applications[-1].rows.append(Row(section, option, value, element.line))
        else:
            wrong = "it stands in no section; it is left out"
            self.faults.append(Fault(Place(self._path, element.line), "", option, wrong))

    def _section(self) -> str:
        """The key of the innermost open list that is a section; empty outside of all."""
        keys = [element.key.strip() for element in self._open if element.key is not None]
        while keys and keys[0].lower() in LISTS:
            keys.pop(0)
        return keys[-1] if keys else ""


def _local(name: str) -> str:
    """A name without its namespace's prefix, in lower case."""
    return name.rpartition(":")[2].lower()
