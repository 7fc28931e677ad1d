"""Genesys's .lms files: the texts of events by their numbers.

A row is `id|LEVEL|NAME|text`; `;` starts a comment. The first line that is not empty is a header of five fields. What
is no row is passed over, and the first row of a number counts.
"""

from __future__ import annotations

from pathlib import Path


def texts_of(path: Path) -> dict[int, str]:
    """The texts of a file, in the manner of printf.

    Raises:
        OSError: it cannot be read.
    """
    lines = [line.strip() for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines()]
    rows = [line.split("|", 3) for line in lines if line and not line.startswith(";")]
    if rows and len(header := "|".join(rows[0]).split("|")) == 5 and all(header):
        del rows[0]
    texts: dict[int, str] = {}
    for row in rows:
        if len(row) == 4 and row[0].strip().isdecimal() and len(row[0]) < 10:
            texts.setdefault(int(row[0]), row[3].strip())
    return texts
