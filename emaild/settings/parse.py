"""Parsers of single values: what an operator types in, a checked value out."""

from __future__ import annotations

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
SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


@dataclass(frozen=True)
class Parser(Generic[T]):
    """Reads one kind of value. `expects` completes the sentence "expected ...".

    `read` raises ValueError where the text is not of the kind; its text says only what `expects` does not.
    """

    read: Callable[[str], T]
    expects: str
    secret: bool = False


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
    """Seconds from `hh:mm:ss` (as Genesys writes all its periods) or a number with its unit."""
    if ":" in value:
        hours, minutes, seconds = map(int, _matching(r"(\d{1,6}):([0-5]\d):([0-5]\d)", value).groups())
        return hours * 3600.0 + minutes * 60.0 + seconds
    number, unit = _matching(r"(\d{1,12}(?:\.\d+)?)\s*(ms|s|m|h|d)", value).groups()
    return float(number) * UNITS[unit.lower()]


def _date(value: str) -> datetime:
    return datetime.combine(date.fromisoformat(value.strip()), datetime.min.time(), tzinfo=UTC)


def _host(value: str) -> str:
    """A host name or address; the brackets of an IPv6 address are taken off."""
    name = value.strip().removeprefix("[").removesuffix("]")
    if not re.fullmatch(r"[\w.:%-]{1,253}", name):
        raise ValueError
    return name


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


text: Parser[str] = Parser(_text, "text")
flag: Parser[bool] = Parser(_flag, "true or false")
duration: Parser[float] = Parser(_duration, "a duration such as 90s, 5m, 2h, 1d or hh:mm:ss")
day: Parser[datetime] = Parser(_date, "a date such as 2026-01-31")
host: Parser[str] = Parser(_host, "a host name or an IP address")
words: Parser[tuple[str, ...]] = Parser(_words, "a list, separated by commas or spaces")
path: Parser[Path] = Parser(_absolute_path, "an absolute path")
secret: Parser[Secret] = Parser(read_secret, "a secret, or file:PATH, env:NAME or credential:NAME", secret=True)


def number(least: int, most: int) -> Parser[int]:
    """A whole number within the two bounds, both included."""

    def read(value: str) -> int:
        found = int(_matching(r"-?\d{1,18}", value)[0])
        if not least <= found <= most:
            raise ValueError
        return found

    return Parser(read, f"a whole number from {least} to {most}")


def within(least: str, most: str) -> Parser[float]:
    """A duration within the two bounds, both included and written as an operator would."""
    low, high = _duration(least), _duration(most)

    def read(value: str) -> float:
        found = _duration(value)
        if not low <= found <= high:
            raise ValueError
        return found

    return Parser(read, f"a duration from {least} to {most} (such as 90s, 5m or hh:mm:ss)")


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
