"""OMA DM: the document that answers one, a Status for each item of each command, and the Results of a Get."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from emaild.provision.email2.commands import VERSIONS, Package
from emaild.provision.email2.outcomes import Outcome


def answer(package: Package, outcomes: Iterable[Outcome]) -> bytes:
    """The XML of the answer."""
    version = package.version if package.version in VERSIONS else VERSIONS[-1]
    root = Element("SyncML", xmlns=f"SYNCML:SYNCML{version}")
    _header(SubElement(root, "SyncHdr"), package, version)
    body = SubElement(root, "SyncBody")
    numbers = map(str, count(1))
    for outcome in outcomes:
        _status(SubElement(body, "Status"), next(numbers), package, outcome)
        if outcome.results:
            _results(SubElement(body, "Results"), next(numbers), package, outcome)
    SubElement(body, "Final")
    return xml_of(root)


def xml_of(root: Element) -> bytes:
    """A document, all ASCII, so that nothing in it plays with a terminal."""
    indent(root)
    text: bytes = tostring(root, encoding="us-ascii", xml_declaration=True)
    return text + b"\n"


def _header(head: Element, package: Package, version: str) -> None:
    _text(head, "VerDTD", version)
    _text(head, "VerProto", f"DM/{version}")
    _text(head, "SessionID", package.session)
    _text(head, "MsgID", package.message)
    for name, uri in (("Target", package.source), ("Source", package.target)):
        _text(SubElement(head, name), "LocURI", uri)


def _status(status: Element, number: str, package: Package, outcome: Outcome) -> None:
    _reference(status, number, package, outcome)
    _text(status, "Cmd", outcome.command.name)
    references = {"TargetRef": outcome.item.target, "SourceRef": outcome.item.source} if outcome.item else {}
    if outcome.command.name == "SyncHdr":
        references = {"TargetRef": package.target, "SourceRef": package.source}
    for name, uri in references.items():
        if uri:
            _text(status, name, uri)
    _text(status, "Data", str(int(outcome.code)))


def _results(results: Element, number: str, package: Package, outcome: Outcome) -> None:
    _reference(results, number, package, outcome)
    for found in outcome.results:
        item = SubElement(results, "Item")
        _text(SubElement(item, "Source"), "LocURI", found.uri)
        SubElement(SubElement(item, "Meta"), "Format", xmlns="syncml:metinf").text = found.format
        _text(item, "Data", found.data)


def _reference(element: Element, number: str, package: Package, outcome: Outcome) -> None:
    _text(element, "CmdID", number)
    _text(element, "MsgRef", package.message)
    _text(element, "CmdRef", outcome.command.number)


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text
