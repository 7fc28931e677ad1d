"""Which account and node an address in a document means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from urllib.parse import unquote

from emaild.settings.email2_nodes import NODES

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
GROUP = "TAGPROPS"
"""The one node that has nodes below it."""
BRACED = re.compile(rf"(?:\{{|0x7b)({GUID.pattern})(?:\}}|0x7d)", re.IGNORECASE)
ROOTS = (("vendor", "msft", "email2"), ("user", "vendor", "msft", "email2"))
FOR_DEVICES = ("device", "vendor", "msft", "email2")


class Code(IntEnum):
    """What became of a command. Source: SyncML Representation Protocol 1.2 §10, Windows' use of it."""

    OK = 200
    ROLLED_BACK = 216
    BAD_REQUEST = 400
    NOT_FOUND = 404
    NOT_ALLOWED = 405
    NOT_SUPPORTED = 406
    WRONG_FORMAT = 415
    ALREADY_EXISTS = 418
    FAILED = 500
    DTD_VERSION = 505
    ATOMIC_FAILED = 507
    ROLL_BACK_FAILED = 516


class Refused(Exception):
    """A command that is not carried out: its code, and one line for people that says what would be right."""

    def __init__(self, code: Code, wrong: str) -> None:
        super().__init__(wrong)
        self.code = code


@dataclass(frozen=True)
class Place:
    """A node: `account` is a GUID in lower case, "" for the root above all; `node` "" means the account itself.

    `listing` is what a Get asks for beyond the node itself, as `?list=StructData` does.
    """

    account: str = ""
    node: str = ""
    listing: str = ""

    def __str__(self) -> str:
        return f"{{{self.account}}} {self.node}".strip() if self.account else "EMAIL2"


def guid_of(text: str) -> str:
    """The GUID of an account, from the form with braces, as they are or as 0x7B and 0x7D.

    Raises:
        Refused: it is none, or has no braces.
    """
    found = BRACED.fullmatch(text.strip())
    if found is None:
        wrong = "a GUID without its braces" if GUID.fullmatch(text.strip()) else "no GUID in braces"
        raise Refused(Code.BAD_REQUEST, f"expected {{GUID}} (in OMA DM 0x7BGUID0x7D), found {wrong}: {text[:60]!r}")
    return found[1].lower()


def place_of(uri: str) -> Place:
    """What a LocURI means.

    Raises:
        Refused: it is outside of EMAIL2, for a device, no GUID stands in it, or there is no such node.
    """
    path, _, query = uri.strip().partition("?")
    parts = [unquote(part) for part in path.removeprefix("./").removesuffix("/").split("/")]
    lowered = tuple(part.lower() for part in parts)
    if lowered[:4] == FOR_DEVICES:
        raise Refused(Code.NOT_ALLOWED, "accounts belong to users; ./User/Vendor/MSFT/EMAIL2 would be right")
    root = next((root for root in ROOTS if lowered[: len(root)] == root), None)
    if root is None:
        raise Refused(Code.NOT_FOUND, f"expected a node of ./Vendor/MSFT/EMAIL2, found {uri[:80]!r}")
    kind, _, listing = query.partition("=")
    if query and (kind.lower() != "list" or listing.lower() not in ("struct", "structdata")):
        raise Refused(Code.NOT_SUPPORTED, f"expected ?list=Struct or ?list=StructData, found {query[:40]!r}")
    below = parts[len(root) :]
    if not below:
        return Place(listing=listing.lower())
    return Place(guid_of(below[0]), node_of("/".join(below[1:])), listing.lower())


def node_of(name: str) -> str:
    """The name of a node below an account, as the table has it; "" is the account itself.

    Raises:
        Refused: there is no such node.
    """
    found = name.strip().upper()
    if found and found != GROUP and found not in NODES:
        raise Refused(Code.NOT_FOUND, f"EMAIL2 has no node {name[:60]!r}")
    return found


def below(node: str) -> tuple[str, ...]:
    """The names of the nodes that hold values from that one on."""
    if node == GROUP:
        return tuple(name for name in NODES if name.startswith(GROUP + "/"))
    return (node,) if node else tuple(NODES)
