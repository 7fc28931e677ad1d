"""Header fields as a person wrote them: encoded words decoded (RFC 2047), addresses and dates picked apart."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime, unquote

from emaild.mime.charset import decoded
from emaild.settings.properties import MimeProperties

MESSAGE_ID = re.compile(r"<[^<>\s]+>")
WORD_START = r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bq])\?"  # RFC 2047 §2, RFC 2231 §5
ENCODED_WORD = re.compile(WORD_START + r"([^?]*)\?=", re.IGNORECASE)
APART_WORD = re.compile(rf"(?<![^\s(]){WORD_START}([^?\s]*)\?=(?![^\s)])", re.IGNORECASE)  # RFC 2047 §5
PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)', re.DOTALL)  # RFC 2045 §5.1
LONGEST = 100_000  # characters of a field that are looked at: some thousand recipients
LONGEST_PARAMETERS = 10_000  # the library takes time by the square of their length
QUOTED = r'"(?:[^"\\]|\\.){0,200}"'  # the bound keeps a header of a million quotes from taking for ever
ADDRESS_PIECE = re.compile(QUOTED + r'|\((?:[^()\\]|\\.){0,200}\)|<[^<>]*>|[^",;:(<]+|.', re.DOTALL)
WORD = re.compile(rf"(?:{QUOTED}|\S)+", re.DOTALL)


def field(message: Message, name: str, reading: MimeProperties) -> str:
    """The first field of that name as one line of text, empty where there is none."""
    return _one_line(words(_first(message, name, reading.charset), strict=reading.decodetext_strict))


def addresses(message: Message, name: str, reading: MimeProperties) -> tuple[str, ...]:
    """All addresses of the fields of that name, bare, in their order; one that cannot be read harms no other."""
    values = _values(message, name, reading.charset)
    return tuple(address for value in values for address in _apart(value) if address)


def message_ids(message: Message, name: str) -> tuple[str, ...]:
    """All `<...>` of a field (RFC 5322 §3.6.4), with their angle brackets."""
    return tuple(MESSAGE_ID.findall(_first(message, name)))


def date(message: Message) -> datetime | None:
    """The Date field in UTC, None where it is missing or no date."""
    try:
        when = parsedate_to_datetime(_first(message, "Date"))
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def file_name(message: Message, reading: MimeProperties) -> str:
    """The name of a part's file, by RFC 2231 or by the encoded words that many programs put there; else empty."""
    name = parameter(message, "Content-Disposition", "filename", reading)
    name = name or parameter(message, "Content-Type", "name", reading)
    return _one_line(words(name, strict=reading.decodetext_strict)) if reading.decodefilename else name


def parameter(message: Message, name: str, key: str, reading: MimeProperties) -> str:
    """A parameter of a field, empty where it is missing.

    It is read by RFC 2231; without mail.mime.decodeparameters only one under its plain name counts, as it stands.
    """
    value = _first(message, name, reading.charset)[:LONGEST_PARAMETERS]
    if not reading.decodeparameters:
        plain = (unquote(text.strip()) for given, text in PARAMETER.findall(value) if given.lower() == key)
        return _one_line(next(plain, ""))
    probe = Message()  # with the field unfolded and its 8-bit bytes read, which *message* would give as U+FFFD
    probe[name] = value
    try:
        found: object = probe.get_param(key, "", name)
    except ValueError:  # a number of thousands of digits
        return ""
    if isinstance(found, tuple):
        charset, _, text = found
        return _one_line(decoded(text.encode("raw-unicode-escape"), charset))
    return _one_line(str(found))


def words(text: str, *, strict: bool = False) -> str:
    """Encoded words decoded; what is none stays as it is.

    They count wherever they stand; with *strict* only between white space and the edges of comments.
    """
    said: list[str] = []
    content, label, end = b"", "", 0  # of the encoded words just before `end`; a character may lie in two of them
    for found in (APART_WORD if strict else ENCODED_WORD).finditer(text):
        more = _content(found[2], found[3])
        if more is None:
            continue
        gap = text[end : found.start()]
        follows = end > 0 and not gap.strip()
        if follows and label == found[1].lower():
            content += more
        else:
            said += [decoded(content, label), "" if follows else gap]
            content, label = more, found[1].lower()
        end = found.end()
    return "".join([*said, decoded(content, label), text[end:]])


def _content(encoding: str, text: str) -> bytes | None:
    """The bytes of an encoded word, None where it is broken."""
    encoded = text.encode("utf-8", "replace")
    try:
        if encoding in "qQ":
            return binascii.a2b_qp(encoded, header=True)
        return binascii.a2b_base64(encoded + b"==")
    except ValueError:
        return None


def _apart(value: str) -> Iterator[str]:
    """The addresses of a list of them (RFC 5322 §3.4), and of much that is none by the letter."""
    angle, plain = "", ""
    for piece in (*ADDRESS_PIECE.findall(value), ","):
        if piece in (",", ";"):
            yield _bare(angle) if angle else _bare(plain)
            angle, plain = "", ""
        elif piece == ":" and "@" not in plain and not angle:
            plain = ""  # it was the name of a group
        elif piece[0] == "<" and piece[-1] == ">":
            angle = piece[1:-1].rpartition(":")[2] if piece.startswith("<@") else piece[1:-1]  # a route: §4.4
        elif piece[0] != "(" or len(piece) == 1:
            plain += piece


def _bare(text: str) -> str:
    """The address in a text; a single word without @ counts, as in `From: MAILER-DAEMON`."""
    for candidate in (text, words(text)):
        found: list[str] = [word for word in WORD.findall(candidate) if "@" in word]
        if found:
            return found[-1]
    single = candidate.split()
    return single[0] if len(single) == 1 else ""


def _one_line(text: str) -> str:
    return text.replace("\n", " ").replace("\r", " ").strip()


def _first(message: Message, name: str, charset: str = "") -> str:
    return next(iter(_values(message, name, charset)), "")


def _values(message: Message, name: str, charset: str = "") -> list[str]:
    """The fields of that name, unfolded; raw 8-bit bytes are UTF-8, else of *charset*, else windows-1252."""
    return [_unfolded(value, charset) for key, value in message.raw_items() if key.lower() == name.lower()]


def _unfolded(value: str, charset: str) -> str:
    text = re.sub(r"\r?\n[ \t]*|\r", " ", value[:LONGEST]).strip()
    if any("\udc80" <= character <= "\udcff" for character in text):
        return decoded(text.encode("utf-8", "surrogateescape"), None, charset)
    return text
