"""What each letter of a pattern writes."""

from __future__ import annotations

from collections.abc import Callable

from emaild.render.simple_date_format.locales import LocaleData
from emaild.render.simple_date_format.moment import Moment
from emaild.render.simple_date_format.pattern import Field
from emaild.render.simple_date_format.zones import ZoneNames

Writer = Callable[[Moment], str]

NAMED = 3  # letters from which on a month is a name
LONG = 4  # letters from which on a name is a long one
MOST_DIGITS = 309  # Java pads no further (java.text.NumberFormat)

NUMBERS: dict[str, Callable[[Moment, LocaleData], int]] = {
    "y": lambda at, data: at.year + data.year_shift,
    "Y": lambda at, data: data.weeks.week_and_year(at.year, at.day)[1] + data.year_shift,
    "M": lambda at, _: at.month,
    "L": lambda at, _: at.month,
    "w": lambda at, data: data.weeks.week_and_year(at.year, at.day)[0],
    "W": lambda at, data: data.weeks.week(at.first_of_month, at.day),
    "D": lambda at, _: at.day_of_year,
    "d": lambda at, _: at.day_of_month,
    "F": lambda at, _: (at.day - at.first_of_month) // 7 + 1,
    "u": lambda at, _: at.day % 7 or 7,
    "H": lambda at, _: at.hour,
    "k": lambda at, _: at.hour or 24,
    "K": lambda at, _: at.hour % 12,
    "h": lambda at, _: at.hour % 12 or 12,
    "m": lambda at, _: at.minute,
    "s": lambda at, _: at.second,
    "S": lambda at, _: at.millisecond,
}


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
        return lambda at: days[at.day % 7]
    months = (data.months_alone if field.letter == "L" or alone else data.months)[long]
    return lambda at: months[at.month - 1]


def _number(field: Field, data: LocaleData) -> Writer:
    number, width = NUMBERS[field.letter], min(field.count, MOST_DIGITS)
    of_century = field.letter in "yY" and width == 2
    digits = {ord("0") + value: ord(data.zero) + value for value in range(10)} if data.zero != "0" else None

    def written(at: Moment) -> str:
        value = number(at, data)
        text = str(value % 100 if of_century else value).zfill(width)
        return text.translate(digits) if digits else text

    return written


def _zone(field: Field, locale: str) -> Writer:
    if field.letter == "z":
        zones, long = ZoneNames(locale), field.count >= LONG
        return lambda at: zones.name(at, long=long)
    iso = field.count if field.letter == "X" else 0
    return lambda at: _offset(at.offset, iso)


def _offset(seconds: int, iso: int) -> str:
    """`+0130` from seconds; by *iso*, how often X stands, `Z` for none, and hours alone or a colon."""
    if iso and not seconds:
        return "Z"
    minutes = abs(seconds) // 60
    sign = "-" if seconds < 0 and minutes else "+"
    shown = "" if iso == 1 else f"{':' if iso == 3 else ''}{minutes % 60:02}"
    return f"{sign}{minutes // 60:02}{shown}"
