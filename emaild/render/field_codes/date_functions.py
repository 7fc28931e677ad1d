"""Functions on dates. They read a date in its own zone."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from emaild.render.field_codes.date_reading import date_from
from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.formats import written
from emaild.render.field_codes.function import Function
from emaild.render.field_codes.marks import plain
from emaild.render.field_codes.objects import Scope
from emaild.render.field_codes.values import Kind

NUMBER, STRING, WHOLE, DATE, BOOLEAN = Kind.NUMBER, Kind.STRING, Kind.WHOLE, Kind.DATE, Kind.BOOLEAN
HALF_A_DAY = 12
MONTHS = 12
# Interaction.TimeZone is GMT, or GMT+hh.mm with a point (Genesys, "Interaction objects").
DISTANCE = re.compile(r"(?:GMT|UTC)(?:([+-])([0-9]{1,2})[.:]?([0-9]{2}))?", re.IGNORECASE)
LONGEST_ZONE = 50
MOST_PARTS = 6  # of a date, from the year to the second


def _date(scope: Scope, first: float | str, *others: float | str) -> datetime:
    """From its parts, in the zone of now; or from a text, in the locale named or the scope's."""
    if isinstance(first, str):
        if len(others) > 1 or not all(isinstance(one, str) for one in others):
            raise Wrong("found more after the text of a date; expected Date(String[, Locale])")
        return date_from(plain(first), plain(str(others[0])) if others else scope.locale, scope.now)
    parts = (first, *others)
    if len(parts) < len(("year", "month", "day")):
        raise Wrong(f"Date got {len(parts)} numbers; expected Date(Year, Month, Day[, Hour[, Minute[, Second]]])")
    if not all(isinstance(part, float) and part.is_integer() and abs(part) < 10_000 for part in parts):
        raise Wrong("Date got something that is no whole number; expected one for each part")
    try:
        year, month, day, hour, minute, second = (*map(int, parts), 0, 0, 0)[:MOST_PARTS]
        return datetime(year, month, day, hour, minute, second, tzinfo=scope.now.tzinfo)
    except ValueError as error:
        raise Wrong(f"Date got parts that are no date: {error}; expected those of a calendar") from None


def _name(letters: str) -> Callable[..., str]:
    """A function that writes a date by these letters, in the locale named or the scope's."""
    return lambda scope, date, locale="": written(date, letters, plain(locale) or scope.locale)


def _today(scope: Scope) -> datetime:
    return scope.now.replace(hour=0, minute=0, second=0, microsecond=0)


def _add_days(_: Scope, date: datetime, days: float) -> datetime:
    return date + timedelta(days=days)


def _add_months(_: Scope, date: datetime, months: float) -> datetime:
    year, month = divmod(date.year * MONTHS + date.month - 1 + int(months), MONTHS)
    if not datetime.min.year <= year <= datetime.max.year:
        raise OverflowError
    return date.replace(year=year, month=month + 1, day=min(date.day, monthrange(year, month + 1)[1]))


def _in_zone(_: Scope, date: datetime, name: str) -> datetime:
    return date.astimezone(_zone(plain(name).strip()))


def _zone(name: str) -> tzinfo:
    found = DISTANCE.fullmatch(name)
    try:
        if found is None:
            return ZoneInfo(name[:LONGEST_ZONE])
        distance = timedelta(hours=int(found[2] or 0), minutes=int(found[3] or 0))
        return timezone(-distance if found[1] == "-" else distance) if distance else UTC
    except (ValueError, OSError, KeyError):  # what ZoneInfo raises for a path, a folder, a name without data
        raise Wrong("found no zone; expected one such as GMT+01.00 or Europe/Paris") from None


def _part(
    name: str, line: str, does: Callable[..., float | bool], *, returns: Kind = NUMBER, ours: bool = True
) -> Function:
    return Function(name, "Date", line, (DATE,), does, 1, returns, ours=ours)


FUNCTIONS = (
    Function(
        "Date",
        "Year, Month, Day[, Hour[, Minute[, Second]]] or String[, Locale]",
        "A date from its parts, or read from a text.",
        (Kind.ANY,) * MOST_PARTS,
        _date,
        1,
        DATE,
        ours=False,
    ),
    Function("Time", "", "The date and time of now.", (), lambda scope: scope.now, 0, DATE, ours=False),
    _part("Day", "The day of the month, 1 to 31.", lambda _, date: float(date.day), ours=False),
    _part("Hour12", "The hour, 1 to 12.", lambda _, date: float((date.hour - 1) % HALF_A_DAY + 1), ours=False),
    _part("Hour24", "The hour, 0 to 23.", lambda _, date: float(date.hour), ours=False),
    _part("IsAm", "Whether it is before noon.", lambda _, date: date.hour < HALF_A_DAY, returns=BOOLEAN, ours=False),
    _part("IsPm", "Whether it is noon or later.", lambda _, date: date.hour >= HALF_A_DAY, returns=BOOLEAN, ours=False),
    Function(
        "WeekdayName",
        "Date[, Locale]",
        "The name of the weekday; the locale is ours.",
        (DATE, STRING),
        _name("EEEE"),
        1,
        STRING,
        ours=False,
    ),
    _part("Minute", "The minute, 0 to 59.", lambda _, date: float(date.minute)),
    _part("Second", "The second, 0 to 59.", lambda _, date: float(date.second)),
    _part("Month", "The month, 1 to 12.", lambda _, date: float(date.month)),
    _part("Year", "The year.", lambda _, date: float(date.year)),
    _part("Weekday", "The weekday, 1 for Sunday to 7.", lambda _, date: float(date.isoweekday() % 7 + 1)),
    Function("MonthName", "Date[, Locale]", "The name of the month.", (DATE, STRING), _name("LLLL"), 1, STRING),
    Function("Today", "", "Today at midnight.", (), _today, 0, DATE),
    Function(
        "AddDays", "Date, Count", "That many days on, at the same time of the day.", (DATE, NUMBER), _add_days, 2, DATE
    ),
    Function(
        "AddMonths",
        "Date, Count",
        "That many months on, on the last day where one is shorter.",
        (DATE, WHOLE),
        _add_months,
        2,
        DATE,
    ),
    Function(
        "InZone",
        "Date, Zone",
        "The same moment in a zone such as GMT+01.00 or Europe/Paris.",
        (DATE, STRING),
        _in_zone,
        2,
        DATE,
    ),
)
