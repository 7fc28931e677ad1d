"""Folders of a mailbox of Microsoft Graph, found by their path."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from emaild.errors import Rejected
from emaild.net.graph import Graph, failed

WELL_KNOWN = frozenset(
    {"inbox", "archive", "deleteditems", "drafts", "junkemail", "outbox", "sentitems", "msgfolderroot"}
)
"""Folders that have a name of their own in every language (Graph, mailFolder)."""


def folder_id(graph: Graph, path: Sequence[str], *, make: bool = False) -> str:
    """The id of a folder; *path* is its names from the outermost to itself.

    The first may be a name that Graph knows in every language, with or without its blanks. With *make* a folder that
    is missing is made.

    Raises:
        RemoteError: Rejected where there is none, or none can be made.
    """
    first, *rest = [name for name in path if name] or ["inbox"]
    known = first.lower().replace(" ", "")
    found = known if known in WELL_KNOWN else _child(graph, "", first, make)
    for name in rest:
        found = _child(graph, found, name, make)
    return found


def _child(graph: Graph, parent: str, name: str, make: bool) -> str:
    below = f"/mailFolders/{quote(parent, safe='')}/childFolders" if parent else "/mailFolders"
    action = f"find folder {name}"
    wanted = quote("displayName eq '{}'".format(name.replace("'", "''")), safe="'")
    answer = graph.get(f"{below}?$filter={wanted}&$select=id")
    if not answer.good:
        raise failed(graph, answer, action)
    for found in answer.listed:
        return str(found["id"])
    if not make:
        raise Rejected(str(graph), action, "there is no such folder")
    answer = graph.send("POST", below, {"displayName": name})
    made = answer.said.get("id")
    if not answer.good or not isinstance(made, str) or not made:
        raise failed(graph, answer, f"make folder {name}")
    return made
