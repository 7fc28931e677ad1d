"""Parsers of single values: what an operator types in, a checked value out."""

from __future__ import annotations

import codecs
import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

from emaild.settings.secret import Secret, read_secret

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST_REPEATED = 60  # characters
SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


@dataclass(frozen=True)
class Parser(Generic[T]):
    """Reads one kind of value. `expects` completes the sentence "expected ...".

    `read` raises ValueError where the text is not of the kind; its text says only what `expects` does not.
    """

    read: Callable[[str], T]
    expects: str
    secret: bool = False


def is_address(text: str) -> bool:
    """Whether it could be an e-mail address, with a name before it or without; any name, where it is quoted."""
    return re.fullmatch(r'[^@]*[^@\s]@[^@\s]+|"(?:[^"\\]|\\.)*"\s*<[^@\s<>]+@[^@\s<>]+>', text) is not None


def repeated(text: str) -> str:
    """A wrong value as a message repeats it: in part where it is long, and without the password of a URL."""
    text = re.sub(r":.*@", ":***@", text)
    return repr(text if len(text) <= LONGEST_REPEATED else text[: LONGEST_REPEATED - 3] + "...")


def _matching(pattern: str, text: str) -> re.Match[str]:
    found = re.fullmatch(pattern, text.strip(), re.IGNORECASE | re.ASCII)
    if found is None:
        raise ValueError
    return found


def _text(value: str) -> str:
    return value


def _flag(value: str) -> bool:
    word = value.strip().lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ValueError


def _duration(value: str) -> float:
    """Seconds from `hh:mm:ss` (as Genesys writes all its periods), or a number with its unit, which 0 needs not."""
    if value.strip() == "0":
        return 0.0
    if ":" in value:
        hours, minutes, seconds = map(int, _matching(r"(\d{1,6}):([0-5]\d):([0-5]\d)", value).groups())
        return hours * 3600.0 + minutes * 60.0 + seconds
    number, unit = _matching(r"(\d{1,12}(?:\.\d+)?)\s*(ms|s|m|h|d)", value).groups()
    return float(number) * UNITS[unit.lower()]


def _date(value: str) -> datetime:
    try:
        day = date.fromisoformat(value.strip())
    except ValueError:
        raise ValueError from None
    return datetime.combine(day, datetime.min.time(), tzinfo=UTC)


def _host(value: str) -> str:
    """A host name or address; the brackets of an IPv6 address are taken off."""
    if "@" in value:
        raise ValueError("a user and a password stand in options of their own")
    name = value.strip().removeprefix("[").removesuffix("]")
    if not re.fullmatch(r"[\w.:%-]{1,253}", name):
        raise ValueError
    if ":" in name:
        try:
            ipaddress.IPv6Address(name)
        except ValueError:
            raise ValueError("a port stands in an option of its own") from None
    return name


def _server(value: str) -> str:
    """What `host` reads, or the URL of a service."""
    if "://" not in value or re.match(r"[^:]*://[^/?#]*@", value):
        return _host(value)
    if not re.fullmatch(r"https?://[^\s/?#@]+(?:[/?][^\s]*)?", value.strip(), re.IGNORECASE):
        raise ValueError
    return value.strip()


def _word(value: str) -> str:
    if re.search(r"\s", value):
        raise ValueError
    return value


def _words(value: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[,;\s]+", value) if word)


def _absolute_path(value: str) -> Path:
    try:
        path = Path(value).expanduser()
    except RuntimeError:
        raise ValueError("no such user's home is known") from None
    if not path.is_absolute():
        raise ValueError("it must start with /, for a daemon has no folder of its own")
    return path


def _file(value: str) -> Path:
    path = _absolute_path(value)
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError("no such file") from None
    except OSError:
        pass  # whoever asks may not look, and the daemon may
    if os.path.isdir(path):
        raise ValueError("it is a folder")
    return path


def _capitals(value: str) -> tuple[str, ...]:
    return tuple(word.upper() for word in _words(value))


def _patterns(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _quoted(value: str) -> str:
    """A text whose spaces at either end are kept by quotes around it."""
    stripped = value.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] == '"':
        return stripped[1:-1]
    return stripped


def _header_name(value: str) -> str:
    """A header's name (RFC 5322 §3.6.8: printable ASCII but the colon)."""
    return _matching(r"[!-9;-~]+", value)[0]


def _charset(value: str) -> str:
    """The name of a charset, as Python's codecs know it by that name or by MIME's."""
    name = value.strip()
    if not name:
        return ""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        raise ValueError from None
    if not found._is_text_encoding:
        raise ValueError
    return name


def _tls_protocols(value: str) -> tuple[str, ...]:
    """Versions of TLS in Java's spelling (TLSv1.2) or plainly (1.2), given plainly. SSL itself is no more."""
    found = [_matching(r"(?:TLSv?)?(1(?:\.[0-3])?)", word)[1] for word in _words(value)]
    return tuple("1.0" if version == "1" else version for version in found)


text: Parser[str] = Parser(_text, "text")
flag: Parser[bool] = Parser(_flag, "true or false")
duration: Parser[float] = Parser(_duration, "a duration such as 90s, 5m, 2h, 1d or hh:mm:ss")
day: Parser[datetime] = Parser(_date, "a date such as 2026-01-31")
host: Parser[str] = Parser(_host, "a host name or an IP address")
words: Parser[tuple[str, ...]] = Parser(_words, "a list, separated by commas or spaces")
names: Parser[tuple[str, ...]] = Parser(_patterns, "names, separated by commas")
path: Parser[Path] = Parser(_absolute_path, "an absolute path")
file: Parser[Path] = Parser(_file, "the absolute path of a file")
server: Parser[str] = Parser(_server, "a host name or an IP address (for EWS a URL)")
word: Parser[str] = Parser(_word, "a word without spaces")
mechanisms: Parser[tuple[str, ...]] = Parser(_capitals, "names of mechanisms, separated by spaces")
patterns: Parser[tuple[str, ...]] = Parser(_patterns, "paths or patterns, separated by commas")
wildcards: Parser[tuple[str, ...]] = Parser(_patterns, "texts, with * and ? in them or not, separated by commas")
login: Parser[str] = Parser(_text, "a name to sign in with")
quoted: Parser[str] = Parser(_quoted, 'a text, in "" where it begins or ends with a space')
header_name: Parser[str] = Parser(_header_name, "the name of a header such as X-Genesys-To")
charset: Parser[str] = Parser(_charset, "a charset such as UTF-8 or windows-1252, or nothing")
tls_protocols: Parser[tuple[str, ...]] = Parser(_tls_protocols, "versions of TLS such as TLSv1.2 TLSv1.3")
secret: Parser[Secret] = Parser(read_secret, "a secret, or file:PATH, env:NAME or credential:NAME", secret=True)


def number(least: int, most: int, of: str = "a whole number") -> Parser[int]:
    """A whole number within the two bounds, both included; *of* says what it counts."""

    def read(value: str) -> int:
        found = int(_matching(r"-?\d{1,18}", value)[0])
        if not least <= found <= most:
            raise ValueError
        return found

    return Parser(read, f"{of} from {least} to {most}")


def within(least: str, most: str) -> Parser[float]:
    """A duration within the two bounds, both included and written as an operator would."""
    low, high = _duration(least), _duration(most)

    def read(value: str) -> float:
        found = _duration(value)
        if not low <= found <= high:
            raise ValueError
        return found

    return Parser(read, f"a duration from {least} to {most} (such as 90s, 5m or hh:mm:ss)")


def zero_or(inner: Parser[float]) -> Parser[float]:
    """What *inner* reads, or a bare 0, for what has a meaning of its own: 00:00:00 could be meant for no pause."""

    def read(value: str) -> float:
        return 0.0 if value.strip() == "0" else inner.read(value)

    return Parser(read, f"0, or {inner.expects}")


def size(bare: str) -> Parser[int]:
    """Bytes from `10M`, `10 MiB`; a bare number counts in *bare*, one of "", "k", "m", "g"."""

    def read(value: str) -> int:
        found, unit = _matching(r"(\d{1,12})\s*(?:([kmg])(?:i?b)?|b)?", value).groups()
        plain = value.strip()[-1:].isdigit()
        return int(found) * SIZES[bare if plain else (unit or "").lower()]

    meaning = {"": "bytes", "k": "KiB", "m": "MiB", "g": "GiB"}[bare]
    return Parser(read, f"a size such as 10M or 10 MiB (a bare number means {meaning})")


def one_of(kind: type[E]) -> Parser[E]:
    """One of the words of a StrEnum, in any case."""
    by_word = {member.value.lower(): member for member in kind}

    def read(value: str) -> E:
        try:
            return by_word[value.strip().lower()]
        except KeyError:
            raise ValueError from None

    names = [member.value for member in kind]
    return Parser(read, " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0])


def optional(inner: Parser[T]) -> Parser[T | None]:
    """What *inner* reads, or None where the value is left empty."""

    def read(value: str) -> T | None:
        return inner.read(value) if value.strip() else None

    return Parser(read, f"{inner.expects}, or nothing", secret=inner.secret)


def optional_text(inner: Parser[str]) -> Parser[str]:
    """What *inner* reads, or the empty text where the value is left empty."""

    def read(value: str) -> str:
        return inner.read(value) if value.strip() else ""

    return Parser(read, f"{inner.expects}, or nothing")


def several_of(kind: type[E]) -> Parser[tuple[E, ...]]:
    """Some of the words of a StrEnum, in any case, separated by commas or spaces."""
    one = one_of(kind)

    def read(value: str) -> tuple[E, ...]:
        return tuple(one.read(word) for word in _words(value))

    return Parser(read, f"some of {', '.join(member.value for member in kind)}")
