"""A moment on the calendar that Java's GregorianCalendar keeps: Julian before 15 October 1582, Gregorian from then on.

Days are counted as `datetime.date.toordinal` counts them, so a day's remainder by 7 is its day of the week, Sunday's 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias

from emaild.render.simple_date_format.offsets import FIRST_KNOWN, offset_before_1900

CUTOVER = date(1582, 10, 15).toordinal()
SKIPPED_DAYS = 10  # the day before the cutover was 4 October
SECONDS_OF_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in its zone where Java's calendar is not Python's: it has what fields ask of a datetime, by Java."""

    when: datetime
    offset: timedelta
    ordinal: int
    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    microsecond: int

    def utcoffset(self) -> timedelta:
        return self.offset

    def toordinal(self) -> int:
        return self.ordinal


OnCalendar: TypeAlias = datetime | Moment


def on_calendar(when: datetime) -> OnCalendar:
    """Where *when* stands on the calendar of its zone: itself, if both calendars and all offsets are the same there.

    Raises:
        ValueError: it has no zone.

    Source: java.util.GregorianCalendar; sun.util.calendar.ZoneInfoFile (no offsets before 1900).
    """
    offset = when.utcoffset()
    if offset is None:
        raise ValueError("a moment without a zone; expected an aware datetime")
    if when.year > FIRST_KNOWN.year:
        return when
    seconds = when.hour * 3600 + when.minute * 60 + when.second
    if when < FIRST_KNOWN:
        known = offset_before_1900(when.tzinfo)
        seconds, offset = seconds + seconds_of(known) - seconds_of(offset), known
    day, seconds = when.toordinal() + seconds // SECONDS_OF_DAY, seconds % SECONDS_OF_DAY
    minutes, second = divmod(seconds, 60)
    return Moment(when, offset, day, *_date(day), minutes // 60, minutes % 60, second, when.microsecond)


def day_of_year(at: OnCalendar) -> int:
    """From 1."""
    return at.toordinal() - new_year(at.year) + 1


def first_of_month(at: OnCalendar) -> int:
    """The day with which its month began, or would have but for the cutover."""
    day = at.toordinal()
    skipped = SKIPPED_DAYS if day >= CUTOVER and (at.year, at.month) == (1582, 10) else 0
    return day - at.day + 1 + skipped


def new_year(year: int) -> int:
    """The day that is 1 January of that year."""
    before = year - 1
    if year > 1582:
        return 365 * before + before // 4 - before // 100 + before // 400 + 1
    return 365 * before + before // 4 - 1


def _date(day: int) -> tuple[int, int, int]:
    """Year, month and day of the month."""
    if day >= CUTOVER:
        found = date.fromordinal(day)
        return found.year, found.month, found.day
    # Years that begin in March have the day that leap years add at their end, and months of 153 days in five.
    since = day + 307  # 1 March of the year 0
    year = (4 * since + 3) // 1461
    day_of_year = since - 1461 * year // 4
    month = (5 * day_of_year + 2) // 153
    day_of_month = day_of_year - (153 * month + 2) // 5 + 1
    return (year, month + 3, day_of_month) if month < 10 else (year + 1, month - 9, day_of_month)


def seconds_of(offset: timedelta | None) -> int:
    """An offset in whole seconds."""
    return offset.days * SECONDS_OF_DAY + offset.seconds if offset else 0
