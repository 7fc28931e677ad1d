"""The operator's named field codes: `field-codes/NAME.txt` is what `<$NAME$>` stands for."""

from __future__ import annotations

import re
from pathlib import Path

from emaild.render.field_codes import SavedCode
from emaild.render.field_codes.limits import LONGEST_NAME
from emaild.render.field_codes.objects import OBJECTS
from emaild.render.response.files import Refused, names_in, text_of

FOLDER, ENDING = "field-codes", ".txt"
NAME = re.compile(r"[^\W\d]\w*(?:\.\w+)*")


def saved_codes(folders: tuple[Path, ...]) -> dict[str, SavedCode]:
    """The codes by their names, for `Scope(custom=…)`; of a name that two folders have, the first folder's.

    They are read anew each time. One that cannot be read is left out: responses that name it are not sent, and
    `emaild check` tells why.
    """
    found: dict[str, SavedCode] = {}
    for folder in folders:
        for file in names_in(folder / FOLDER):
            name = file.removesuffix(ENDING)
            if misnamed(file) or name.lower() in {known.lower() for known in found}:
                continue
            try:
                found[name] = saved_code(folder, file)
            except (FileNotFoundError, Refused):
                continue
    return found


def saved_code(folder: Path, file: str) -> SavedCode:
    """The code in that file, without the line end that editors put behind it.

    Raises:
        FileNotFoundError, Refused: it cannot be read.
    """
    return SavedCode(text_of(folder / FOLDER / file, folder / FOLDER).removesuffix("\n"))


def misnamed(file: str) -> str:
    """What is wrong with the name of a file there; empty: nothing is."""
    name = file.removesuffix(ENDING)
    if not file.endswith(ENDING) or not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        return f"{file!r} names no field code; expected a dotted name such as my.signature and .txt"
    if name.partition(".")[0].lower() in OBJECTS:
        return f"a saved code cannot be called {name}: Interaction, Contact and Agent are objects"
    return ""
