"""An emaild with faults: it raises at some mails and ends at others. To be upgraded is to be started without them."""

from __future__ import annotations

import os
from pathlib import Path

RAISES = "X-Test: raises"
ENDS = "X-Test: ends the process"

FAULT = f"""
import os
import emaild.mime.said as said

read = said.opened


def opened(raw, *others):
    if {RAISES.encode()!r} in raw:
        raise ValueError("no sense in this mail")
    if {ENDS.encode()!r} in raw:
        os._exit(139)
    return read(raw, *others)


said.opened = opened
"""


def broken_build(folder: Path) -> dict[str, str]:
    """The environment in which emaild has these faults; Python runs a module of that name before any other."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(FAULT, encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
