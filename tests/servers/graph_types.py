"""What a request to Microsoft Graph may say, by Microsoft's published metadata (CSDL) where a file of it is given."""

from __future__ import annotations

import os
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

PLACES = (os.environ.get("EMAILD_GRAPH_TYPES", ""), str(Path(__file__).parents[3] / "shared/graph/types.csdl"))
"""Where that file may lie; without it nothing is checked here."""
PLAIN = {"Edm.String": str, "Edm.Boolean": bool, "Edm.Int32": int, "Edm.Int64": int, "Edm.Binary": str}

Types = dict[str, tuple[str, dict[str, str]]]
"""Type by its name: its base type, and its properties with their types. An enumeration has members instead."""


@cache
def types() -> Types:
    """All that the file declares, nothing where there is no file."""
    found = next((Path(place) for place in PLACES if place and Path(place).is_file()), None)
    if found is None:
        return {}
    declared: Types = {}
    for node in ElementTree.parse(found).getroot():
        kind = node.tag.rpartition("}")[2]
        names = ("Member",) if kind == "EnumType" else ("Property", "NavigationProperty", "Parameter")
        inner = {one.get("Name", ""): one.get("Type", "") for one in node if one.tag.rpartition("}")[2] in names}
        prefix = "action " if kind == "Action" else "enum " if kind == "EnumType" else ""
        declared.setdefault(prefix + node.get("Name", ""), (node.get("BaseType", ""), inner))
    return declared


def wrong(type_name: str, value: Any) -> str:
    """What is wrong with a value of that type, empty where nothing is."""
    if not types():
        return ""
    if type_name.startswith("Collection("):
        if not isinstance(value, list):
            return f"{type_name} expects a list"
        return next(filter(None, (wrong(type_name[11:-1], one) for one in value)), "")
    if type_name == "Edm.DateTimeOffset":
        return "" if isinstance(value, str) and datetime.fromisoformat(value) else "no date"
    if type_name in PLAIN:
        fits = isinstance(value, PLAIN[type_name]) and not (PLAIN[type_name] is int and isinstance(value, bool))
        return "" if fits else f"{value!r:.60} is no {type_name}"
    name = type_name.rpartition(".")[2]
    if f"enum {name}" in types():
        return "" if value in types()[f"enum {name}"][1] else f"{value!r:.60} is no {name}"
    return _wrong_object(name, value)


def wrong_action(name: str, value: Any) -> str:
    """What is wrong with the parameters of an action. Their names are told apart by no capitals, as Graph does it."""
    if not types() or not isinstance(value, dict):
        return ""
    declared = {one.lower(): kind for one, kind in types()[f"action {name}"][1].items()}
    for key, inner in value.items():
        if key.lower() not in declared:
            return f"The parameter '{key}' does not exist on {name}"
        if bad := wrong(declared[key.lower()], inner):
            return bad
    return ""


def _wrong_object(name: str, value: Any) -> str:
    if not isinstance(value, dict):
        return f"{name} expects an object"
    declared = properties(name)
    for key, inner in value.items():
        if key.startswith("@odata."):
            continue
        if key not in declared:
            return f"The property '{key}' does not exist on type 'microsoft.graph.{name}'"
        if inner is not None and (bad := wrong(declared[key], inner)):
            return bad
    return ""


def properties(name: str) -> dict[str, str]:
    """A type's properties, its base types' too."""
    found: dict[str, str] = {}
    while name:
        base, own = types()[name]
        found |= own
        name = base.rpartition(".")[2]
    return found
