"""Weeks of years and months, as each territory counts them."""

from __future__ import annotations

from dataclasses import dataclass

from emaild.render.simple_date_format.moment import new_year

SUNDAY, MONDAY, FRIDAY, SATURDAY = 0, 1, 5, 6
# What Unicode CLDR 39 says of territories: all others begin weeks with Monday, and one day makes a first week.
FIRST_DAYS = {
    SUNDAY: "AG AS AU BD BR BS BT BW BZ CA CN CO DM DO ET GT GU HK HN ID IL IN JM JP KE KH KR LA MH MM MO MT MX MZ NI"
    " NP PA PE PH PK PR PT PY SA SG SV TH TT TW UM US VE VI WS YE ZA ZW",
    FRIDAY: "MV",
    SATURDAY: "AE AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY",
}
OF_FOUR_DAYS = (
    "AD AN AT AX BE BG CH CZ DE DK EE ES FI FJ FO FR GB GF GG GI GP GR HU IE IM IS IT JE LI LT LU MC MQ NL NO PL"
    " PT RE RU SE SJ SK SM VA"
)


@dataclass(frozen=True)
class Weeks:
    """The day that weeks begin with (Sunday's is 0), and how many days of a period make its first week."""

    first_day: int
    minimal_days: int

    def week(self, first: int, day: int) -> int:
        """The week of *day* in the period that begins with the day *first*; 0 before the first one."""
        return (day - self._start(first)) // 7 + 1

    def week_and_year(self, year: int, day: int) -> tuple[int, int]:
        """The week of the year in which a day of that year lies, and the year to which that week counts."""
        if day >= self._start(new_year(year + 1)):
            return 1, year + 1
        week = self.week(new_year(year), day)
        return (week, year) if week > 0 else (self.week(new_year(year - 1), day), year - 1)

    def _start(self, first: int) -> int:
        """The day with which week 1 of the period begins."""
        start = first + (self.first_day - first) % 7
        return start - 7 if start - first >= self.minimal_days else start


def weeks(territory: str) -> Weeks:
    """How weeks are counted there; where no territory is known they begin with Sunday."""
    first_day = next((day for day, there in FIRST_DAYS.items() if territory in there.split()), MONDAY)
    return Weeks(first_day if territory else SUNDAY, 4 if territory in OF_FOUR_DAYS.split() else 1)
