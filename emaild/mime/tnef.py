"""winmail.dat: what Outlook packs a mail into for others of its kind (MS-OXTNEF), unpacked.

It comes from outside: lengths are compared with what there is, and what does not fit is no TNEF.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from emaild.message import Attachment
from emaild.mime import file_names, rtf
from emaild.mime.charset import decoded

SIGNATURE = b"\x78\x9f\x3e\x22"
DEEPEST = 5  # mails in mails
MOST_FILES = 1000
KINDS = ("application/ms-tnef", "application/vnd.ms-tnef")

# Attributes, by the lower half of their number (MS-OXTNEF §2.1.3.2)
NEW_FILE, FILE_CONTENT, FILE_TITLE, FILE_PROPERTIES = 0x9002, 0x800F, 0x8010, 0x9005
BODY, PROPERTIES, CODEPAGE = 0x800C, 0x9003, 0x9007
# Properties, and the types of their values (MS-OXPROPS, MS-OXCDATA §2.11.1)
TEXT, HTML, RTF = 0x1000, 0x1013, 0x1009
LONG_NAME, SHORT_NAME, DISPLAY_NAME, MEDIA_TYPE, CONTENT_ID, CONTENT = 0x3707, 0x3704, 0x3001, 0x370E, 0x3712, 0x3701
WANTED = frozenset((TEXT, HTML, RTF, LONG_NAME, SHORT_NAME, DISPLAY_NAME, MEDIA_TYPE, CONTENT_ID, CONTENT))
MANY, NAMED = 0x1000, 0x8000
SIZES = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0xA: 4, 0xB: 4, 0x14: 8, 0x40: 8, 0x48: 16}
STRING, UNICODE, OBJECT, BINARY = 0x1E, 0x1F, 0x0D, 0x102
INTERFACE = 16  # bytes before an object, which say of which kind it is


@dataclass(frozen=True)
class Unpacked:
    """The texts and files of a winmail.dat, and what those hold."""

    text: str
    html: str
    files: tuple[Attachment, ...]
    contents: tuple[bytes, ...]


def is_tnef(kind: str, name: str) -> bool:
    """Whether a part of that media type and file name is a winmail.dat."""
    return kind in KINDS or name.lower() == "winmail.dat"


def unpacked(content: bytes) -> Unpacked | None:
    """What lies in it; None where it is broken or cut off, so that nothing of it is lost."""
    mail = _Mail()
    try:
        _read(content, mail, 0)
    except _BrokenError:
        return None
    text, html = mail.text, mail.html
    if not text.strip() and not html:
        text, html = rtf.said(rtf.decompressed(mail.rtf))
    return Unpacked(text.replace("\r\n", "\n"), html.replace("\r\n", "\n"), tuple(mail.files), tuple(mail.contents))


class _BrokenError(Exception):
    """It is no TNEF, or not all of one."""


@dataclass
class _Mail:
    """What was found so far."""

    text: str = ""
    html: str = ""
    rtf: bytes = b""
    codepage: str = "cp1252"
    files: list[Attachment] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)


@dataclass
class _File:
    """A file whose attributes are being read."""

    title: str = ""
    content: bytes = b""
    properties: dict[int, tuple[int, bytes]] = field(default_factory=dict)


def _read(content: bytes, mail: _Mail, depth: int) -> None:
    """Adds a TNEF stream to *mail*; of one that lies in another only the files."""
    files: list[_File] = []
    for name, value in _attributes(content):
        if name == CODEPAGE and len(value) >= 4:
            mail.codepage = f"cp{_number(value, 0)}"
        elif name == BODY and not depth:
            mail.text = mail.text or _string(STRING, value, mail.codepage)
        elif name == PROPERTIES and not depth:
            _read_message(dict(_properties(value)), mail)
        elif name == NEW_FILE:
            files.append(_File())
        elif files:
            _read_file(name, value, files[-1], mail.codepage)
    for file in files:
        _add(file, mail, depth)


def _read_message(found: dict[int, tuple[int, bytes]], mail: _Mail) -> None:
    if TEXT in found:
        mail.text = _string(*found[TEXT], mail.codepage) or mail.text
    if HTML in found:
        mail.html = decoded(found[HTML][1], mail.codepage, html=True).rstrip("\0")
    if RTF in found:
        mail.rtf = found[RTF][1]


def _read_file(name: int, value: bytes, file: _File, codepage: str) -> None:
    if name == FILE_TITLE:
        file.title = _string(STRING, value, codepage)
    elif name == FILE_CONTENT:
        file.content = value
    elif name == FILE_PROPERTIES:
        file.properties = dict(_properties(value))


def _add(file: _File, mail: _Mail, depth: int) -> None:
    """A file; of one that is a mail of Outlook's its files too."""

    def said(*names: int) -> str:
        found = (_string(*file.properties[name], mail.codepage) for name in names if name in file.properties)
        return next(filter(None, found), "")

    if len(mail.files) == MOST_FILES:
        return
    kind, content = file.properties.get(CONTENT, (BINARY, file.content))
    content = content[INTERFACE:] if kind == OBJECT else content
    name = file_names.safe(said(LONG_NAME, SHORT_NAME) or file.title or said(DISPLAY_NAME))
    inner = content.startswith(SIGNATURE) and kind == OBJECT
    media = KINDS[0] if inner else said(MEDIA_TYPE).lower() or file_names.kind(name)
    name = name or file_names.default(media, len(mail.files) + 1)
    content_id = said(CONTENT_ID).strip("<> ")
    mail.files.append(Attachment(name=name, content_type=media, size=len(content), content_id=content_id or None))
    mail.contents.append(content)
    if inner and depth < DEEPEST:
        _read(content, mail, depth + 1)


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes of a stream (MS-OXTNEF §2.1.3); what stands behind the last is passed over."""
    if not content.startswith(SIGNATURE):
        raise _BrokenError
    at = len(SIGNATURE) + 2
    while at < len(content) and content[at] in (1, 2):
        name, size = _number(content, at + 1) & 0xFFFF, _number(content, at + 5)
        if at + 9 + size > len(content):
            raise _BrokenError
        yield name, content[at + 9 : at + 9 + size]
        at += 9 + size + 2  # a sum stands behind it, which some programs get wrong


def _properties(content: bytes) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """Those of the properties that are wanted, each with its type and first value (MS-OXTNEF §2.1.3.4)."""
    at = 4
    for _ in range(_number(content, 0)):
        kind, name = struct.unpack("<HH", _bytes(content, at, 4))
        at += 4
        if name >= NAMED:
            at += 16 + 4 + (4 if _number(content, at + 16) == 0 else _padded(_number(content, at + 20)) + 4)
        single = kind & ~MANY
        first = None
        if single in SIZES:
            at += SIZES[single] * _number(content, at) + 4 if kind & MANY else SIZES[single]
        elif single in (STRING, UNICODE, OBJECT, BINARY):
            count = _number(content, at)
            at += 4
            for _ in range(count):
                size = _number(content, at)
                first = first or _bytes(content, at + 4, size)
                at += 4 + _padded(size)
        else:
            raise _BrokenError
        if first is not None and name in WANTED:
            yield name, (single, first)


def _string(kind: int, value: bytes, codepage: str) -> str:
    if kind == UNICODE:
        return decoded(value[: len(value) & ~1], "utf-16-le").rstrip("\0")
    return decoded(value.rstrip(b"\0"), codepage)


def _padded(size: int) -> int:
    return (size + 3) & ~3


def _number(content: bytes, at: int) -> int:
    return int.from_bytes(_bytes(content, at, 4), "little")


def _bytes(content: bytes, at: int, size: int) -> bytes:
    if at + size > len(content):
        raise _BrokenError
    return content[at : at + size]
