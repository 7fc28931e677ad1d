"""Header fields as a person wrote them: encoded words decoded (RFC 2047), addresses and dates picked apart."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice

from emaild.mime import parameters
from emaild.mime.addresses import people as addresses_in
from emaild.mime.charset import decoded
from emaild.mime.head import Header
from emaild.mime.limits import FIELD_LENGTH, LISTED_FIELDS, LISTED_TOGETHER, LISTED_VALUE
from emaild.mime.words import words
from emaild.settings.properties import MimeProperties

MESSAGE_ID = re.compile(r"<[^<>\s]+>")
BARE_ID = re.compile(r"\A([^<>\s@]+@[^<>\s@]+)\Z")
FIRST_WORD = re.compile(r"""(?:\([^()]*\)|["'\s])*([\w.-]{1,100})""", re.ASCII)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PLAIN_DATE = re.compile(
    rf"(?:[A-Z][a-z]{{2}}, )?(\d\d?) ({'|'.join(MONTHS)}) ([12]\d{{3}}) (\d\d):(\d\d):([0-5]\d) "
    r"([+-])(0\d|1[0-4])([0-5]\d)(?: \([A-Z]{1,5}\))?",
    re.ASCII,
)
"""As nearly all programs write it."""
LEAP_SECOND = re.compile(r"(?<=:\d\d):60\b")  # RFC 5322 §3.3 allows it, datetime does not
LONGEST_DATE = 200  # characters
FOLD = re.compile(r"(?:\n|\r(?:\r?\n)?)[ \t]*+")


def field(message: Header, name: str, reading: MimeProperties) -> str:
    """The first field of that name as one line of text, empty where there is none."""
    way = (name, reading.charset, reading.decodetext_strict)
    if way not in message.read:
        text = words(_first(message, name, reading.charset), strict=reading.decodetext_strict)
        message.read[way] = _one_line(text)
    return message.read[way]


def values(message: Header, name: str, charset: str = "") -> tuple[str, ...]:
    """All fields of that name in their order, unfolded, encoded words as they stand.

    Raw 8-bit bytes are read as UTF-8, else as *charset*, else as what they look like.
    """
    return tuple([_unfolded(value, charset) for value in message.named(name.lower())])


def everything(message: Header, reading: MimeProperties) -> tuple[tuple[str, str], ...]:
    """All fields in their order, as they stand: the value is unfolded, encoded words in it are not decoded.

    What is beyond the limits of `mime.limits` (LISTED_*) is cut off.
    """
    listed: list[tuple[str, str]] = []
    room = LISTED_TOGETHER
    for name, raw in islice(message.raw_items(), LISTED_FIELDS):
        value = _unfolded(raw, reading.charset)[:LISTED_VALUE]
        room -= len(name) + len(value)
        if room < 0:
            if len(value) + room >= 0:
                listed.append((name, value[:room]))
            break
        listed.append((name, value))
    return tuple(listed)


def people(message: Header, name: str, reading: MimeProperties) -> tuple[tuple[str, str], ...]:
    """Name (decoded, empty where none is given) and bare address of all in the fields of that name, in their order."""
    said, strict = values(message, name, reading.charset), reading.decodetext_strict
    found = [one for value in said for one in addresses_in(value, strict=strict)] if said else ()
    return tuple([(_one_line(personal), _one_line(address)) for personal, address in found])


def addresses(message: Header, name: str, reading: MimeProperties) -> tuple[str, ...]:
    """All addresses of the fields of that name, bare, in their order; one that cannot be read harms no other."""
    return tuple([address for _, address in people(message, name, reading)])


def message_ids(message: Header, name: str) -> tuple[str, ...]:
    """All `<...>` of a field (RFC 5322 §3.6.4), with their angle brackets; a single id without them gets them."""
    value = _first(message, name)
    return tuple(MESSAGE_ID.findall(value)) or tuple(f"<{found}>" for found in BARE_ID.findall(value))


def date(message: Header) -> datetime | None:
    """The Date field in UTC, None where it is missing or no date."""
    said = _first(message, "Date")[:LONGEST_DATE]
    try:
        if plain := PLAIN_DATE.fullmatch(said):
            day, month, year, hour, minute, second, sign, hours, minutes = plain.groups()
            at = datetime(int(year), MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
            return at - timedelta(minutes=int(sign + hours) * 60 + int(sign + minutes))
        when = parsedate_to_datetime(LEAP_SECOND.sub(":59", said))
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def file_name(message: Header, reading: MimeProperties) -> str:
    """The name of a part's file, by RFC 2231 or by the encoded words that many programs put there; else empty."""
    name = parameter(message, "Content-Disposition", "filename", reading)
    name = name or parameter(message, "Content-Type", "name", reading)
    return _one_line(words(name, strict=reading.decodetext_strict)) if reading.decodefilename else name


def parameter(message: Header, name: str, key: str, reading: MimeProperties) -> str:
    """A parameter of the first field that has it, empty where none has. *key* is in lower case.

    It is read by RFC 2231; without mail.mime.decodeparameters only one under its plain name counts, as it stands.
    """
    read = parameters.extended if reading.decodeparameters else parameters.plain
    for value in values(message, name, reading.charset):
        if key in value.lower() and (found := _one_line(read(value, key))):
            return found
    return ""


def word(message: Header, name: str) -> str:
    """The first word of a field in lower case, without quotes and comments: the value of Content-Transfer-Encoding."""
    found = FIRST_WORD.match(_first(message, name))
    return found[1].lower() if found else ""


def _one_line(text: str) -> str:
    return text.replace("\n", " ").replace("\r", " ").strip()


def _first(message: Header, name: str, charset: str = "") -> str:
    found = message.named(name.lower())
    return _unfolded(found[0], charset) if found else ""


def _unfolded(value: str, charset: str) -> str:
    text = value[:FIELD_LENGTH]
    if "\n" in text or "\r" in text:
        text = FOLD.sub(" ", text)
    if not text.isascii() or "\x1b" in text:
        text = decoded(text.encode("utf-8", "surrogateescape"), None, charset)
    return text.replace("\0", "").strip()
