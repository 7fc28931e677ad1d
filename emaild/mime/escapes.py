"""Charsets of seven bits: ISO-2022-JP (RFC 1468), ISO-2022-KR (RFC 1557) and HZ (RFC 1843).

They switch by escape sequences; under no label, or under another, they look like ASCII.
"""

from __future__ import annotations

import re

JAPANESE = ("iso2022_jp", "iso2022_jp_2", "iso2022_jp_3", "iso2022_jp_ext")
SWITCH = re.compile(rb"\x1b(\$[@AB]|\$\([CDOPQ]|\([BIJ])")
PAIRS = re.compile(rb"[!-~]{2}|[\0-\xff]")
HZ = re.compile(rb"~\{(?:[!-w][!-~])+~\}")


def escaped(content: bytes, *, hz: bool) -> str | None:
    """The text where *content* has escape sequences of such a charset, those of HZ only with *hz*; else None."""
    if b"\x1b$)C" in content:
        return _strictly(content, ("iso2022_kr",))
    if b"\x1b" in content and SWITCH.search(content):
        return _strictly(content, JAPANESE) or _japanese(content)
    return _strictly(content, ("hz",)) if hz and HZ.search(content) else None


def _strictly(content: bytes, names: tuple[str, ...]) -> str | None:
    for name in names:
        try:
            return content.decode(name)
        except ValueError:
            continue
    return None


def _japanese(content: bytes) -> str:
    """With the characters of row 13 and half-width kana, which programs send and ISO-2022-JP has not."""
    said = []
    _, *pieces = SWITCH.split(b"\x1b(B" + content)  # each switch and what follows it
    for switch, piece in zip(pieces[::2], pieces[1::2], strict=True):
        said.append(_switched(switch, piece).decode("cp932", "replace"))
    return "".join(said)


def _switched(switch: bytes, piece: bytes) -> bytes:
    if switch[:1] == b"$":
        return PAIRS.sub(lambda found: _shifted(found[0]), piece)
    if switch == b"(I":
        return bytes(byte | 0x80 if byte > 32 else byte for byte in piece)
    return piece


def _shifted(pair: bytes) -> bytes:
    """A character of JIS X 0208 as Shift_JIS has it."""
    if len(pair) == 1:
        return pair
    row, column = pair[0] - 0x21, pair[1]
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    trail = column + 0x7E if row % 2 else column + (0x20 if column >= 0x60 else 0x1F)
    return bytes((lead, trail))
