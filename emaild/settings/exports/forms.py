"""Which form an export has, told by its content and not by its name."""

from __future__ import annotations

import codecs
from pathlib import Path

from emaild.errors import InputError
from emaild.settings import ini
from emaild.settings.exports import csv_form, xml_form
from emaild.settings.exports.rows import sections_of
from emaild.settings.ini import Fault, RawSection
from emaild.settings.reader import ALIASES

LARGEST = 16 << 20  # bytes; the export of a server with a hundred mailboxes is far below one MiB
MOST_OPTIONS = 10_000  # such an export has about four thousand
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_file(path: Path) -> bytes:
    """What a file holds.

    Raises:
        InputError: it cannot be read, or is larger than any export.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if len(content) > LARGEST:
        raise InputError(f"{path}:1: more than {LARGEST >> 20} MiB; no export is that large")
    return content


def read_export(path: Path, content: bytes) -> tuple[dict[str, RawSection], list[Fault]]:
    """The sections of an export as `ini.read` gives them, by lower-case name, and what in it cannot be understood.

    *path* is where the content comes from.

    Raises:
        InputError: it is of no form that is known, broken, or has no section at all; one line that says where.
    """
    if _looks_like_xml(content):
        rows, faults = xml_form.rows_of(path, content)
        sections, again = sections_of(path, rows)
    elif csv_form.looks_like_csv(text := _decoded(path, content)):
        rows, faults = csv_form.rows_of(path, text)
        sections, again = sections_of(path, rows)
    else:
        sections, faults = ini.read([(path, text.encode())], ALIASES)
        again = []
    if not sections:
        expected = "expected XML, CSV with a header row (Section,Option,Value), or INI with [pop-client] and the like"
        raise InputError(f"{path}:1: no section of options found; {expected}")
    if sum(len(section.options) for section in sections.values()) > MOST_OPTIONS or len(sections) > MOST_OPTIONS:
        raise InputError(f"{path}:1: more than {MOST_OPTIONS} options; no export has that many")
    return sections, [*faults, *again]


def _looks_like_xml(content: bytes) -> bool:
    """Whether its first character is a <, in whatever encoding the parser may find."""
    return content[:1000].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n").startswith(b"<")


def _decoded(path: Path, content: bytes) -> str:
    """Text without byte order mark; UTF-16 where such a mark says so, else UTF-8."""
    encoding, name = ("utf-16", "UTF-16") if content.startswith(WIDE) else ("utf-8-sig", "UTF-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(f"{path}:{line}: not {name} text; save the file as UTF-8") from None
    above, nul, _ = text.partition("\0")
    if nul:
        raise InputError(f"{path}:{above.count(chr(10)) + 1}: a NUL byte: this is not a text file")
    return text
