"""The text of a conf file with a section taken out, or with options of a section set; all else byte for byte."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from emaild.errors import InputError
from emaild.provision.heads import is_ours
from emaild.settings.email2_nodes import UNFIT
from emaild.settings.option import same_name
from emaild.settings.reader import ALIASES


@dataclass(frozen=True)
class _Part:
    """A section in a text, by its lines: `head` is its header, those from `first` to before `end` are its own."""

    name: str
    first: int
    head: int
    end: int


def sections_in(text: bytes) -> tuple[str, ...]:
    """The names of the sections, in lower case, in their order."""
    return tuple(part.name for part in _parts(_seen(_lines(text))))


def line_in(text: bytes, name: str) -> int:
    """The line, from 1, of a section's first header; 0 where there is none."""
    return next((part.head + 1 for part in _parts(_seen(_lines(text))) if part.name == _known_as(name)), 0)


def without(text: bytes, names: Collection[str]) -> bytes | None:
    """The text without these sections; None where nothing but remarks that emaild writes itself is left.

    What goes with a section: its lines, the remarks among and directly below its options, and those directly above its
    header, unless the file begins with them. Whatever an empty line parts from it stays.
    """
    lines = _lines(text)
    seen = _seen(lines)
    wanted = {_known_as(name) for name in names}
    own = {number for part in _parts(seen) if part.name in wanted for number in range(part.first, part.end)}
    kept = [number for number in range(len(lines)) if number not in own]
    if all(not seen[number] or is_ours(seen[number]) for number in kept):
        return None
    return b"".join(lines[number] for number in kept)


def with_options(text: bytes, name: str, values: Mapping[str, str | None]) -> bytes:
    """The text with these options of a section that it holds; None: without the option.

    An option that is there is set where it stands, in its spelling; the others follow the last one of the section.

    Raises:
        InputError: a value is not one line.
    """
    lines = _lines(text)
    seen = _seen(lines)
    own = [part for part in _parts(seen) if part.name == _known_as(name)]
    wanted = {same_name(option): (option, value) for option, value in values.items()}
    line_end = b"\r\n" if lines[own[0].head].endswith(b"\r\n") else b"\n"
    last = own[0].head  # behind which new options come
    for part in own:
        for number in range(part.head, part.end):
            option = _option_of(seen[number])
            if option is not None and part is own[0]:
                last = number
            if option is not None and same_name(option) in wanted:
                _, value = wanted.pop(same_name(option))
                lines[number] = b"" if value is None else line_of(option, value).encode() + line_end
    if lines[last] and not lines[last].endswith(b"\n"):
        lines[last] += line_end
    new = (line_of(option, value).encode() + line_end for option, value in wanted.values() if value is not None)
    lines[last] += b"".join(new)
    return b"".join(lines)


def line_of(option: str, value: str) -> str:
    """The line that sets an option.

    Raises:
        InputError: it would not be one line; the value, which may be secret, is not repeated.
    """
    line = f"{option} = {value}".rstrip()
    if any(unicodedata.category(character) in UNFIT for character in line):
        raise InputError(f"{option[:80]!r}: such a value cannot stand in one line of a conf file")
    return line


def _lines(text: bytes) -> list[bytes]:
    return re.findall(rb"[^\n]*\n|[^\n]+", text)


def _seen(lines: list[bytes]) -> list[str]:
    """The lines as the reader of conf files sees them: without the file's mark, and without the blanks at their ends.

    What is a blank is told by the text, for there are more of them than in the bytes.
    """
    texts = [line.decode("utf-8", "replace").rstrip() for line in lines]
    return [*(text.removeprefix("\ufeff") for text in texts[:1]), *texts[1:]]


def _parts(lines: list[str]) -> Iterator[_Part]:
    heads = [(number, name) for number, line in enumerate(lines) if (name := _name_of(line))]
    for (head, name), (following, _) in zip(heads, [*heads[1:], (len(lines), "")], strict=False):
        first = _above(lines, head)
        end = _above(lines, following) if following < len(lines) else following
        yield _Part(name, first if first > 0 else head, head, _own_end(lines, head, end))


def _above(lines: list[str], head: int) -> int:
    """Where the remarks begin that stand directly above a header."""
    while head > 0 and _is_remark(lines[head - 1]):
        head -= 1
    return head


def _own_end(lines: list[str], head: int, end: int) -> int:
    """Behind the last option, and the remarks directly below it with the empty lines that follow those."""
    last = max((number for number in range(head, end) if _option_of(lines[number]) is not None), default=head)
    own = last + 1
    while own < end and _is_remark(lines[own]) and not _name_of(lines[own].lstrip()[1:].lstrip()):
        own += 1
    while own < end and not lines[own]:
        own += 1
    return own


def _is_remark(line: str) -> bool:
    return line.lstrip()[:1] in ("#", ";")


def _name_of(line: str) -> str:
    """The section whose header a line is; "" where it is none."""
    name = line[1:-1].strip()
    is_header = line[:1] == "[" and line[-1:] == "]" and not {"[", "]"} & {*name}
    return _known_as(name) if is_header else ""


def _known_as(name: str) -> str:
    return ALIASES.get(name.lower(), name).lower()


def _option_of(line: str) -> str | None:
    """The option's name as it is spelled; None: the line holds none."""
    if _is_remark(line) or _name_of(line) or "=" not in line:
        return None
    return line.partition("=")[0].strip()
