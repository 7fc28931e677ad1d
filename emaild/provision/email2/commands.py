"""OMA DM: the commands of a SyncML document.

Source: OMA SyncML Representation Protocol 1.2, Device Management Usage.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from emaild.provision.email2.tree import DocumentUnreadable, verbatim, words

UNANSWERED = ("Final", "Status", "Results")
GROUPS = ("Atomic", "Sequence")
VERSIONS = ("1.1", "1.2")


@dataclass(frozen=True)
class Item:
    """One thing that a command is about; `format` and `type` are "" where the document does not say."""

    target: str
    source: str = ""
    data: str = field(default="", repr=False)  # it may be a password
    format: str = ""
    type: str = ""


@dataclass(frozen=True)
class Command:
    """A command: its element's name, its number (any text), and its items, or for a group the commands in it."""

    name: str
    number: str
    items: tuple[Item, ...] = ()
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Package:
    """A SyncML document."""

    version: str = "1.2"
    session: str = "1"
    message: str = "1"
    target: str = ""
    source: str = ""
    commands: tuple[Command, ...] = ()


def package_of(root: Element) -> Package:
    """The commands of a SyncML document, or of a SyncBody alone; what came back to us is left out.

    Raises:
        DocumentUnreadable: it has no SyncBody.
    """
    head = root.find("SyncHdr")
    body = root if root.tag == "SyncBody" else root.find("SyncBody")
    if body is None:
        raise DocumentUnreadable("the SyncML document has no SyncBody")
    if head is None:
        head = Element("SyncHdr")
    return Package(
        version=words(head, "VerDTD") or "1.2",
        session=words(head, "SessionID") or "1",
        message=words(head, "MsgID") or "1",
        target=words(head, "Target", "LocURI"),
        source=words(head, "Source", "LocURI"),
        commands=tuple(_commands(body)),
    )


def _commands(parent: Element) -> Iterator[Command]:
    """The commands in an element; `tree` bounds how deep they are in each other."""
    for element in parent:
        if element.tag in (*UNANSWERED, "CmdID", "Meta", "NoResp"):
            continue
        inner = tuple(_commands(element)) if element.tag in GROUPS else ()
        yield Command(element.tag, words(element, "CmdID"), tuple(_items(element)), inner)


def _items(command: Element) -> Iterator[Item]:
    for item in command.findall("Item"):
        data = verbatim(item, "Data")
        yield Item(
            target=words(item, "Target", "LocURI"),
            source=words(item, "Source", "LocURI"),
            data=data.strip() if re.search("[\r\n]", data) else data,  # written below each other, for eyes
            format=(words(item, "Meta", "Format") or words(command, "Meta", "Format")).lower(),
            type=(words(item, "Meta", "Type") or words(command, "Meta", "Type")).lower(),
        )
