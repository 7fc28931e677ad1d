"""The parameters of a field: RFC 2045 §5.1, continued and encoded by RFC 2231."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from emaild.mime.charset import decoded

PARAMETER = re.compile(r';\s*([^\s=;"*]{1,100})(\*\d{0,40}\*?)?\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)', re.DOTALL)
ESCAPED = re.compile(r'\\(["\\])')  # other backslashes are those of a path


def plain(value: str, key: str) -> str:
    """The parameter under its plain name *key* (in lower case), as it stands; empty where there is none."""
    found = (text for name, star, text in PARAMETER.findall(value) if name.lower() == key and not star)
    return _unquoted(next(found, ""))


def extended(value: str, key: str) -> str:
    """The parameter *key* (in lower case), its pieces put together and decoded; else the plain one.

    A piece that is missing is passed over, of two with one number the first counts.
    """
    pieces: dict[int, tuple[bool, str]] = {}
    for name, star, text in PARAMETER.findall(value):
        if star and name.lower() == key:
            number = star.strip("*")
            pieces.setdefault(int(number or -1), (star.endswith("*"), _unquoted(text)))
    if not pieces:
        return plain(value, key)
    if -1 in pieces:  # it is whole in one, whatever other programs are told beside it
        pieces = {-1: pieces[-1]}
    return _together([pieces[number] for number in sorted(pieces)])


def _together(pieces: list[tuple[bool, str]]) -> str:
    """A character may lie in two pieces that are encoded; the charset stands in front of the first (RFC 2231 §4.1)."""
    charset, said, waiting = "", [], b""
    encoded, first = pieces[0]
    if encoded and first.count("'") >= 2:
        charset, _, rest = first.split("'", 2)
        pieces[0] = (True, rest)
    for encoded, text in pieces:
        if encoded:
            waiting += unquote_to_bytes(text)
        else:
            said += [decoded(waiting, charset), text]
            waiting = b""
    return "".join([*said, decoded(waiting, charset)])


def _unquoted(text: str) -> str:
    text = text.strip()
    if text[:1] != '"':
        return text
    return ESCAPED.sub(r"\1", text[1:-1] if text[-1:] == '"' and len(text) > 1 else text[1:])
