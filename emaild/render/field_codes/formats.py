"""Values written by a pattern: the operator `:` and the function Text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias, cast

from emaild.render.field_codes.decimal_format import QUOTED, decimal_format, quoted, without_quoted
from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.limits import LONGEST_PATTERN, LONGEST_STRING
from emaild.render.field_codes.locales import locale, number_signs
from emaild.render.field_codes.marks import as_pattern
from emaild.render.field_codes.values import Kind, Value, finite, kind_of
from emaild.render.simple_date_format import IllegalPattern, SimpleDateFormat

Write: TypeAlias = Callable[[Value], str]

DURATION = re.compile(rf"({QUOTED})|([dhms])\2*+")
SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
PLACE = "@"  # where a string stands in its pattern


def written(value: Value, pattern: str, locale_name: str) -> str:
    """The value by a pattern, which may hold the author's markup.

    - a number by DecimalFormat's letters, or, where the pattern has none of `0 # , .` outside quotes, as a duration
      of that many days by `d`, `h`, `m` and `s`, each of them what the larger ones left: `d 'days' hh:mm` (ours);
    - a date by SimpleDateFormat's letters;
    - True or False by two texts and a semicolon between them: `yes;no` (ours);
    - a string by a text with `@` where the string is to stand (ours).

    Raises:
        Wrong: the pattern is not for this kind of value, or the locale is unknown.
    """
    return writer(kind_of(value), as_pattern(pattern), locale_name)(value)


@lru_cache(500)
def writer(kind: Kind, pattern: str, locale_name: str) -> Write:
    """What writes values of that kind by the pattern.

    Raises:
        Wrong: as `written` does.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise Wrong(f"this pattern is too long; expected at most {LONGEST_PATTERN} characters")
    return WRITERS[kind](pattern, locale_name)


def check_pattern(kind: Kind, pattern: str) -> None:
    """Look at a pattern before there is a value; the kind is ANY where only the value will tell it.

    Raises:
        Wrong: it is not for that kind, or not for any.
    """
    faults = []
    for one in [kind] if kind in WRITERS else WRITERS:
        try:
            writer(one, as_pattern(pattern), "en_US")
            return
        except Wrong as wrong:
            faults.append(wrong)
    if len(faults) == 1:
        raise faults[0]
    raise Wrong(f'"{pattern}" is no pattern for a number, date, string or boolean; expected one such as #,##0.00')


def _number(pattern: str, locale_name: str) -> Write:
    signs = number_signs(locale_name)
    if not re.search("[0#,.]", without_quoted(pattern)):
        return _duration(pattern)
    form = decimal_format(pattern)
    return lambda value: form.format(cast("float", value), signs)


def _duration(pattern: str) -> Write:
    letters = {found[2] for found in DURATION.finditer(pattern) if found[2]}
    if not letters or "'" in without_quoted(pattern):
        raise Wrong(f'"{pattern}" is no pattern for a number; expected one such as #,##0.00, or hh:mm for a duration')

    def write(value: Value) -> str:
        seconds = round(finite(cast("float", value) * SECONDS["d"]))
        left, parts = abs(seconds), {}
        for letter, size in SECONDS.items():
            if letter in letters:
                parts[letter], left = divmod(left, size)
        sign = "-" if seconds < 0 else ""
        return sign + DURATION.sub(lambda found: _part(found, parts), pattern)

    return write


def _part(found: re.Match[str], parts: dict[str, int]) -> str:
    return f"{parts[found[2]]:0{len(found[0])}}" if found[2] else quoted(found[1])


def _date(pattern: str, locale_name: str) -> Write:
    try:
        form = SimpleDateFormat(pattern, str(locale(locale_name)))
    except IllegalPattern as error:
        raise Wrong(f'"{pattern}" is no pattern for a date: {error}') from None
    return lambda value: form.format(cast("datetime", value))


def _boolean(pattern: str, locale_name: str) -> Write:
    true, semicolon, false = pattern.partition(";")
    if not semicolon:
        raise Wrong(f'"{pattern}" is no pattern for True or False; expected one such as yes;no')
    return lambda value: true if value else false


def _string(pattern: str, locale_name: str) -> Write:
    if PLACE not in pattern:
        raise Wrong(f'"{pattern}" is no pattern for a string; expected one with an {PLACE} where it is to stand')

    def write(value: Value) -> str:
        if len(str(value)) * pattern.count(PLACE) > LONGEST_STRING:
            raise Wrong(f"the result is too long; expected at most {LONGEST_STRING} characters")
        return pattern.replace(PLACE, str(value))

    return write


WRITERS: dict[Kind, Callable[[str, str], Write]] = {
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.BOOLEAN: _boolean,
    Kind.STRING: _string,
}
