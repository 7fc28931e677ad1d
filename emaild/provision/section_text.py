"""The text of a conf file with a section taken out, or with options of a section set; all else byte for byte."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from emaild.settings.option import same_name
from emaild.settings.reader import ALIASES

HEADER = re.compile(rb"\[\s*([^\[\]]*?)\s*\]\s*")
REMARK = re.compile(rb"\s*[#;]")
SECTION_IN_REMARK = re.compile(rb"\s*[#;]\s*\[[^\[\]]+\]\s*")
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class _Part:
    """A section in a text, by its lines: `head` is its header, those from `first` to before `end` are its own."""

    name: str
    first: int
    head: int
    end: int


def sections_in(text: bytes) -> tuple[str, ...]:
    """The names of the sections, in lower case, in their order."""
    return tuple(part.name for part in _parts(_lines(text)))


def without(text: bytes, names: Collection[str]) -> bytes | None:
    """The text without these sections; None where nothing is left that a person would miss.

    What goes with a section: its lines, the remarks among and directly below its options, and those directly above its
    header, unless the file begins with them. Whatever an empty line parts from it stays.
    """
    lines = _lines(text)
    wanted = {_known_as(name) for name in names}
    own = {number for part in _parts(lines) if part.name in wanted for number in range(part.first, part.end)}
    kept = [line for number, line in enumerate(lines) if number not in own]
    if not sections_in(b"".join(kept)) and not any(SECTION_IN_REMARK.fullmatch(line) for line in kept):
        return None
    return b"".join(kept)


def with_options(text: bytes, name: str, values: Mapping[str, str | None]) -> bytes:
    """The text with these options of a section that it holds; None: without the option.

    An option that is there is set where it stands, in its spelling; the others follow the last one of the section.
    """
    lines = _lines(text)
    own = [part for part in _parts(lines) if part.name == _known_as(name)]
    wanted = {same_name(option): (option, value) for option, value in values.items()}
    line_end = b"\r\n" if lines[own[0].head].endswith(b"\r\n") else b"\n"
    last = own[0].head  # behind which new options come
    for part in own:
        for number in range(part.head, part.end):
            option = _option_of(lines[number])
            if option is not None and part is own[0]:
                last = number
            if option is not None and same_name(option) in wanted:
                _, value = wanted.pop(same_name(option))
                lines[number] = b"" if value is None else f"{option} = {value}".encode() + line_end
    if lines[last] and not lines[last].endswith(b"\n"):
        lines[last] += line_end
    new = (f"{option} = {value}".encode() + line_end for option, value in wanted.values() if value is not None)
    lines[last] += b"".join(new)
    return b"".join(lines)


def _lines(text: bytes) -> list[bytes]:
    return re.findall(rb"[^\n]*\n|[^\n]+", text)


def _parts(lines: list[bytes]) -> Iterator[_Part]:
    heads = [(number, name) for number, line in enumerate(lines) if (name := _name_of(line, first=number == 0))]
    for (head, name), (following, _) in zip(heads, [*heads[1:], (len(lines), "")], strict=False):
        first = _above(lines, head)
        end = _above(lines, following) if following < len(lines) else following
        yield _Part(name, first if first > 0 else head, head, _own_end(lines, head, end))


def _above(lines: list[bytes], head: int) -> int:
    """Where the remarks begin that stand directly above a header."""
    while head > 0 and REMARK.match(lines[head - 1]):
        head -= 1
    return head


def _own_end(lines: list[bytes], head: int, end: int) -> int:
    """Behind the last option, and the remarks directly below it with the empty lines that follow those."""
    last = max((number for number in range(head, end) if _option_of(lines[number]) is not None), default=head)
    own = last + 1
    while own < end and REMARK.match(lines[own]) and not SECTION_IN_REMARK.fullmatch(lines[own]):
        own += 1
    while own < end and not lines[own].strip():
        own += 1
    return own


def _name_of(line: bytes, *, first: bool) -> str:
    found = HEADER.fullmatch(line.removeprefix(BOM) if first else line)
    return _known_as(found[1].decode("utf-8", "replace")) if found else ""


def _known_as(name: str) -> str:
    return ALIASES.get(name.lower(), name).lower()


def _option_of(line: bytes) -> str | None:
    """The option's name as it is spelled; None: the line holds none."""
    if REMARK.match(line) or HEADER.fullmatch(line) or b"=" not in line:
        return None
    return line.partition(b"=")[0].strip().decode("utf-8", "replace")
