"""What each letter of a pattern writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from operator import attrgetter

from emaild.render.simple_date_format.locales import LocaleData
from emaild.render.simple_date_format.moment import OnCalendar, day_of_year, first_of_month, seconds_of
from emaild.render.simple_date_format.pattern import Field
from emaild.render.simple_date_format.zones import ZoneNames

Writer = Callable[[OnCalendar], str]

OF_CENTURY = 2  # letters that write the last two digits of a year
NAMED = 3  # letters from which on a month is a name
LONG = 4  # letters from which on a name is a long one
MOST_DIGITS = 309  # Java pads no further (java.text.NumberFormat)

NUMBERS: dict[str, Callable[[OnCalendar, LocaleData], int]] = {
    "y": lambda at, data: at.year + data.year_shift,
    "Y": lambda at, data: data.weeks.week_and_year(at.year, at.toordinal())[1] + data.year_shift,
    "M": lambda at, _: at.month,
    "L": lambda at, _: at.month,
    "w": lambda at, data: data.weeks.week_and_year(at.year, at.toordinal())[0],
    "W": lambda at, data: data.weeks.week(first_of_month(at), at.toordinal()),
    "D": lambda at, _: day_of_year(at),
    "d": lambda at, _: at.day,
    "F": lambda at, _: (at.toordinal() - first_of_month(at)) // 7 + 1,
    "u": lambda at, _: at.toordinal() % 7 or 7,
    "H": lambda at, _: at.hour,
    "k": lambda at, _: at.hour or 24,
    "K": lambda at, _: at.hour % 12,
    "h": lambda at, _: at.hour % 12 or 12,
    "m": lambda at, _: at.minute,
    "s": lambda at, _: at.second,
    "S": lambda at, _: at.microsecond // 1000,
}
READ = {"y": "year", "M": "month", "L": "month", "d": "day", "H": "hour", "m": "minute", "s": "second"}


def writers(parts: Iterable[Field | str], data: LocaleData, *, alone: bool) -> list[Writer]:
    """What writes these parts of a pattern one after the other; *alone* where they have the pattern's only field."""
    made: list[Writer] = []
    for read, run in groupby(parts, lambda part: isinstance(part, str) or _is_read(part, data)):
        if read:
            made.append(_at_once(run))
        else:
            made += [writer(part, data, alone=alone) for part in run if isinstance(part, Field)]
    return made


def _is_read(field: Field, data: LocaleData) -> bool:
    """Whether it is a number of a datetime as it stands there, in our digits."""
    if field.letter not in READ or data.zero != "0":
        return False
    if field.letter == "y":
        return field.count != OF_CENTURY and not data.year_shift
    return field.letter not in "ML" or field.count < NAMED


def _at_once(run: Iterable[Field | str]) -> Writer:
    names, form = [], ""
    for part in run:
        if isinstance(part, str):
            form += part.replace("%", "%%")
        else:
            names.append(READ[part.letter])
            form += f"%0{min(part.count, MOST_DIGITS)}d"
    if not names:
        text = form % ()
        return lambda _: text
    values = attrgetter(*names)
    return lambda at: form % values(at)


def writer(field: Field, data: LocaleData, *, alone: bool) -> Writer:
    """Writes that field of a moment; *alone* where it is the pattern's only one."""
    if field.letter in NUMBERS and (field.count < NAMED or field.letter not in "ML"):
        return _number(field, data)
    return _zone(field, data.locale) if field.letter in "zZX" else _name(field, data, alone=alone)


def _name(field: Field, data: LocaleData, *, alone: bool) -> Writer:
    long = field.count >= LONG
    if field.letter == "a":
        halves = data.halves
        return lambda at: halves[at.hour >= 12]
    if field.letter == "G":
        era = data.eras[long]
        return lambda _: era
    if field.letter == "E":
        days = data.days[long]
        return lambda at: days[at.toordinal() % 7]
    months = (data.months_alone if field.letter == "L" or alone else data.months)[long]
    return lambda at: months[at.month - 1]


def _number(field: Field, data: LocaleData) -> Writer:
    number, width = NUMBERS[field.letter], min(field.count, MOST_DIGITS)
    of_century = field.letter in "yY" and width == OF_CENTURY
    form = f"%0{width}d"
    digits = {ord("0") + value: ord(data.zero) + value for value in range(10)} if data.zero != "0" else None

    def written(at: OnCalendar) -> str:
        value = number(at, data)
        text = form % (value % 100 if of_century else value)
        return text.translate(digits) if digits else text

    return written


def _zone(field: Field, locale: str) -> Writer:
    if field.letter == "z":
        zones, long = ZoneNames(locale), field.count >= LONG
        return lambda at: zones.name(at, long=long)
    iso = field.count if field.letter == "X" else 0
    return lambda at: _offset(seconds_of(at.utcoffset()), iso)


def _offset(seconds: int, iso: int) -> str:
    """`+0130` from seconds; by *iso*, how often X stands, `Z` for none, and hours alone or a colon."""
    if iso and not seconds:
        return "Z"
    minutes = abs(seconds) // 60
    sign = "-" if seconds < 0 and minutes else "+"
    shown = "" if iso == 1 else f"{':' if iso == 3 else ''}{minutes % 60:02}"
    return f"{sign}{minutes // 60:02}{shown}"
