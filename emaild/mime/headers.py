"""Header fields as a person wrote them: encoded words decoded (RFC 2047), addresses and dates picked apart."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from emaild.mime.charset import decoded

MESSAGE_ID = re.compile(r"<[^<>\s]+>")


def field(message: Message, name: str) -> str:
    """The first field of that name as one line of text, empty where there is none."""
    return words(_first(message, name)).replace("\n", " ").replace("\r", " ").strip()


def addresses(message: Message, name: str) -> tuple[str, ...]:
    """All addresses of the fields of that name, bare, in their order."""
    lines = [words(value) for value in _values(message, name)]
    return tuple(address for _, address in getaddresses(lines) if address)


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


def words(text: str) -> str:
    """Encoded words decoded wherever they stand; what is none stays as it is."""
    try:
        parts = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    return "".join(decoded(part, charset) if isinstance(part, bytes) else part for part, charset in parts)


def _first(message: Message, name: str) -> str:
    return next(iter(_values(message, name)), "")


def _values(message: Message, name: str) -> list[str]:
    """The fields of that name, unfolded; raw 8-bit bytes are read as UTF-8, else as windows-1252."""
    return [_unfolded(value) for key, value in message.raw_items() if key.lower() == name.lower()]


def _unfolded(value: str) -> str:
    text = re.sub(r"\r?\n[ \t]*|\r", " ", value).strip()
    if any("\udc80" <= character <= "\udcff" for character in text):
        return decoded(text.encode("utf-8", "surrogateescape"), None)
    return text
