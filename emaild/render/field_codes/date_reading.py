"""Text read as a date: the function Date with a string."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Literal

from babel import Locale

from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.limits import LONGEST_DATE
from emaild.render.field_codes.locales import locale

ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
DATE_STYLES: tuple[Literal["short", "medium", "long", "full"], ...] = ("short", "medium", "long", "full")
TIME_STYLES: tuple[Literal["short", "medium"], ...] = ("short", "medium")
# A pattern of CLDR: letters, quoted text, anything else.
PART = re.compile(r"(?P<letter>[A-Za-z])(?P=letter)*|'(?P<quoted>[^']*)'|(?P<other>.)", re.DOTALL)
DIGITS = {"y": "[0-9]{4}|[0-9]{2}", "M": "[0-9]{1,2}", "d": "[0-9]{1,2}", "H": "[0-9]{1,2}", "h": "1[0-2]|0?[1-9]"}
DIGITS |= {"m": "[0-9]{2}", "s": "[0-9]{2}"}
LONGEST_NUMERIC_MONTH = 2  # letters M; more of them mean a name
CENTURY = 100
YEARS_AHEAD = 20  # two digits mean a year from 80 years ago to 20 years from now, as in java.text.SimpleDateFormat

Names = dict[str, dict[str, int]]  # by pattern letter: each name in lower case, and its number


def date_from(text: str, locale_name: str, now: datetime) -> datetime:
    """The date in a text, in the zone of *now* unless the text names its own distance from UTC.

    Tried in turn: `1965-11-23`, alone or with `09:03`, `09:03:10` and a distance; then the locale's short, medium,
    long and full dates, alone or before its short or medium time. Nothing may be left over and a weekday must be the
    right one; case, kinds of white space and points after abbreviations do not count.

    Raises:
        Wrong: it is none of these, or the locale is unknown.
    """
    wanted = " ".join(text.split())
    if len(wanted) > LONGEST_DATE:
        raise Wrong(f"this date is too long; expected at most {LONGEST_DATE} characters")
    patterns, names = _patterns(locale_name)
    try:
        if ISO.fullmatch(wanted):
            found = datetime.fromisoformat(wanted)
            return found if found.tzinfo else found.replace(tzinfo=now.tzinfo)
        for pattern in patterns:
            fields = pattern.fullmatch(wanted.lower())
            if fields and (date := _date(fields.groupdict(), names, now)):
                return date
    except (ValueError, OverflowError):
        pass  # the 31st of a month without one
    raise Wrong(f"this text is no date in the locale {locale_name}; expected one such as 1965-11-23 09:03:10")


def _date(fields: dict[str, str | None], names: Names, now: datetime) -> datetime | None:
    """The date of these fields, or None when its weekday is another than the one named."""
    numbers = {letter: _number(names.get(letter, {}), text) for letter, text in fields.items() if text}
    year = numbers["y"]
    if len(str(fields["y"])) == len("65"):
        latest = now.year + YEARS_AHEAD
        year = latest - (latest - year) % CENTURY
    hour = numbers["h"] % 12 + numbers["a"] if "h" in numbers else numbers.get("H", 0)
    month = numbers["L"] if "L" in numbers else numbers["M"]
    found = datetime(year, month, numbers["d"], hour, numbers.get("m", 0), numbers.get("s", 0), tzinfo=now.tzinfo)
    return found if numbers.get("E", found.weekday()) == found.weekday() else None


def _number(names: dict[str, int], text: str) -> int:
    return names[_name(text)] if names else int(text)


def _name(text: str) -> str:
    return " ".join(text.split()).lower().removesuffix(".")


@lru_cache(100)
def _patterns(locale_name: str) -> tuple[tuple[re.Pattern[str], ...], Names]:
    """What dates look like in the locale, style by style, and the numbers of the names in them."""
    found = locale(locale_name)
    names = _names(found)
    times = ["", *(r",? " + _expression(found.time_formats[style].pattern, names) for style in TIME_STYLES)]
    dates = [_expression(found.date_formats[style].pattern, names) for style in DATE_STYLES]
    return tuple(re.compile(date + time) for date in dates for time in times), names


def _names(found: Locale) -> Names:
    widths = [(context, width) for context in ("format", "stand-alone") for width in ("abbreviated", "wide")]
    halves = [found.day_periods.get(context, {}).get(width, {}) for context, width in widths]
    return {
        "L": {_name(name): number for at, width in widths for number, name in found.months[at][width].items()},
        "E": {_name(name): number for at, width in widths for number, name in found.days[at][width].items()},
        "a": {"am": 0, "pm": 12}
        | {_name(half[name]): number for half in halves for name, number in (("am", 0), ("pm", 12)) if name in half},
    }


def _expression(pattern: str, names: Names) -> str:
    """A regular expression for what the pattern writes; one that matches nothing for a pattern with other letters."""
    return "".join(_part(found, names) for found in PART.finditer(pattern))


def _part(found: re.Match[str], names: Names) -> str:
    letter = found["letter"]
    if letter is None:
        text = found["quoted"] or found["other"] or "'"
        return " ?" if text.isspace() else re.escape(text.lower())
    if letter == "M" and len(found[0]) > LONGEST_NUMERIC_MONTH:
        letter = "L"
    if letter in names:
        return rf"(?P<{letter}>{_any_of(names[letter])})\.?"
    return f"(?P<{letter}>{DIGITS[letter]})" if letter in DIGITS else "(?!)"


def _any_of(names: Iterable[str]) -> str:
    """The longest first, since an expression takes the first that fits."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
