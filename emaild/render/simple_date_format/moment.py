"""A moment on the calendar that Java's GregorianCalendar keeps: Julian before 15 October 1582, Gregorian from then on.

Days are counted as `datetime.date.toordinal` counts them, so a day's remainder by 7 is its day of the week, Sunday's 0.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

from emaild.render.simple_date_format.offsets import FIRST_KNOWN, offset_before_1900

CUTOVER = date(1582, 10, 15).toordinal()
SKIPPED_DAYS = 10  # the day before the cutover was 4 October
FIRST_KNOWN_DAY = FIRST_KNOWN.toordinal()
SECONDS_OF_DAY = 86_400


class Moment(NamedTuple):
    """A moment in its zone: the day, its place on the calendar, the time of the day; *offset* in seconds."""

    when: datetime
    offset: int
    day: int
    year: int
    month: int
    day_of_month: int
    hour: int
    minute: int
    second: int
    millisecond: int

    @property
    def day_of_year(self) -> int:
        return self.day - new_year(self.year) + 1

    @property
    def first_of_month(self) -> int:
        skipped = SKIPPED_DAYS if self.day >= CUTOVER and (self.year, self.month) == (1582, 10) else 0
        return self.day - self.day_of_month + 1 + skipped


def moment(when: datetime) -> Moment:
    """Where *when* stands on the calendar of its zone.

    Raises:
        ValueError: it has no zone.

    Source: java.util.GregorianCalendar; sun.util.calendar.ZoneInfoFile (no offsets before 1900).
    """
    offset, day, milli = _seconds(when.utcoffset()), when.toordinal(), when.microsecond // 1000
    if day > FIRST_KNOWN_DAY:
        return Moment(when, offset, day, when.year, when.month, when.day, when.hour, when.minute, when.second, milli)
    seconds = when.hour * 3600 + when.minute * 60 + when.second
    if when < FIRST_KNOWN:
        known = _seconds(offset_before_1900(when.tzinfo))
        seconds, offset = seconds + known - offset, known
    day, seconds = day + seconds // SECONDS_OF_DAY, seconds % SECONDS_OF_DAY
    minutes, second = divmod(seconds, 60)
    return Moment(when, offset, day, *_date(day), minutes // 60, minutes % 60, second, milli)


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


def _seconds(offset: timedelta | None) -> int:
    if offset is None:
        raise ValueError("a moment without a zone; expected an aware datetime")
    return offset.days * SECONDS_OF_DAY + offset.seconds
