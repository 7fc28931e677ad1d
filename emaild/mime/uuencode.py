"""Files that stand uuencoded in a text (POSIX uuencode)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence

BEGIN = re.compile(r"begin [0-7]{3,4} (\S.{0,999})")
ENCODED = re.compile(r"[ -`]{1,86}")  # a length and up to 84 characters; programs may add one as a check
MOST = 100  # files in one text


def extracted(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text without its uuencoded files, and their names and contents. A file that is broken stays text.

    Lines may end in LF or CR LF.
    """
    lines = text.split("\n")
    kept: list[str] = []
    files: list[tuple[str, bytes]] = []
    at = 0
    while at < len(lines):
        begin = BEGIN.fullmatch(lines[at].rstrip("\r"))
        end = _end(lines, at + 1) if begin and len(files) < MOST else at
        content = _decoded(lines[at + 1 : end]) if begin and end < len(lines) and _ends(lines, end) else None
        if begin and content is not None:
            files.append((begin[1].strip(), content))
            at = end + 1
        else:  # none of the lines that were looked at can begin a file
            end = max(end, at + 1)
            kept += lines[at:end]
            at = end
    return "\n".join(kept), files


def _end(lines: Sequence[str], at: int) -> int:
    """The first line from *at* on that is none of an encoded file."""
    while at < len(lines) and ENCODED.fullmatch(lines[at].rstrip("\r")):
        at += 1
    return at if at >= len(lines) or lines[at].strip() else at + 1  # a line of zero bytes may have lost its blank


def _ends(lines: Sequence[str], at: int) -> bool:
    return lines[at].strip() == "end"


def _decoded(lines: Sequence[str]) -> bytes | None:
    """The bytes of encoded lines, None where one is broken or the last is not the empty one."""
    content = bytearray()
    size = -1
    for line in lines:
        encoded = line.rstrip("\r") or " "
        size = ord(encoded[0]) - 32 & 63
        try:
            groups = (size + 2) // 3  # read whole: some programs fill the last with what was left in memory
            content += binascii.a2b_uu(chr(32 + 3 * groups) + encoded[1 : 1 + 4 * groups])[:size]
        except ValueError:
            return None
    return None if size else bytes(content)
