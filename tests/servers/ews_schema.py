"""Microsoft's published schemas of EWS, where a folder of them is at hand."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

FOLDER = Path(os.environ.get("EMAILD_EWS_SCHEMAS", Path(__file__).parents[2].parent / "shared" / "ews"))


@cache
def _schema(name: str) -> Any:
    path = FOLDER / name
    return etree.XMLSchema(etree.parse(path)) if path.is_file() else None


def violation(element: Any, schema: str = "messages.xsd") -> str:
    """What is wrong with a request, empty where nothing is, or no schemas are there."""
    known = _schema(schema)
    alone = etree.ElementTree(etree.fromstring(etree.tostring(element), etree.XMLParser(huge_tree=True)))
    return "" if known is None or known.validate(alone) else str(known.error_log.last_error)
