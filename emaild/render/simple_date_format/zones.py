"""What zones are called."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from emaild.render.simple_date_format.locales import candidates
from emaild.render.simple_date_format.moment import Moment, OnCalendar, seconds_of
from emaild.render.simple_date_format.offsets import daylight, zone_key

Names = tuple[str, ...]
"""Short standard, short daylight, long standard, long daylight."""


class ZoneNames:
    """The names of zones in one locale, else in its language, else in English."""

    def __init__(self, locale: str) -> None:
        self._numbers, locales = _numbers_and_locales()
        self._names: Mapping[int, Names] = next(locales[name] for name in candidates(locale) if name in locales)

    def name(self, at: OnCalendar, *, long: bool) -> str:
        """The name of the moment's zone; one that has none is called by its offset, as in GMT+01:00."""
        when = at.when if isinstance(at, Moment) else at
        number = self._numbers.get(zone_key(when.tzinfo))
        return (
            _by_offset(seconds_of(at.utcoffset())) if number is None else self._names[number][2 * long + daylight(when)]
        )


def _by_offset(offset: int) -> str:
    """`GMT+01:00` from seconds; those that make no whole minute are not shown."""
    minutes = abs(offset) // 60
    return f"GMT{'-' if offset < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}" if minutes else "GMT"


@cache
def _numbers_and_locales() -> tuple[dict[str, int], dict[str, dict[int, Names]]]:
    """The data file: the number of each zone, and the names that go with each number in each locale."""
    numbers: dict[str, int] = {}
    locales: dict[str, dict[int, Names]] = {"": {}}
    names = locales[""]
    for line in Path(__file__).with_name("zone_names.tsv").read_text(encoding="utf-8").splitlines():
        first, *others = line.split("\t")
        if line.startswith("#"):
            continue
        if not first.isdigit():
            names = dict(locales[others[0]])
            locales |= dict.fromkeys(first.split(" "), names)
            continue
        if len(others) == 5:
            numbers |= dict.fromkeys(others.pop(0).split(" "), int(first))
        inherited = names.get(int(first), others)
        names[int(first)] = tuple(own or other for own, other in zip(others, inherited, strict=True))
    return numbers, locales
