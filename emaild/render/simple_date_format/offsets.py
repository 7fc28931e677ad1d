"""The offsets that Java takes zones to have, where they are not those of the IANA data that Python reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

FIRST_KNOWN = datetime(1900, 1, 1, tzinfo=UTC)  # Java knows no change of offsets before
TODAYS_RULES = (datetime(2037, 1, 15, tzinfo=UTC), datetime(2037, 7, 15, tzinfo=UTC))
NONE = timedelta(0)


@dataclass(frozen=True)
class Standard:
    """The offset of a zone's standard time from a moment on."""

    since: datetime
    offset: timedelta


# Zones whose rules put clocks back in winter, from a standard time in summer. Java knows no such rules: it calls
# winter's time standard, as the IANA data's "rearguard" format does, and Namibia's since 2017 daylight time for ever.
IRELAND = Standard(datetime(1968, 1, 1, tzinfo=UTC), NONE)
MOROCCO = Standard(datetime(1986, 1, 1, tzinfo=UTC), NONE)
NAMIBIA = Standard(datetime(1990, 3, 20, 22, tzinfo=UTC), timedelta(hours=1))
STANDARDS = {
    "Africa/Casablanca": MOROCCO,
    "Africa/El_Aaiun": MOROCCO,
    "Africa/Windhoek": NAMIBIA,
    "Eire": IRELAND,
    "Europe/Dublin": IRELAND,
}


def zone_key(zone: tzinfo | None) -> str:
    """The name by which a zone is known; empty if it is none but an offset."""
    found = "UTC" if zone is UTC else getattr(zone, "key", None)
    return found if isinstance(found, str) else ""


@lru_cache(maxsize=1024)
def offset_before_1900(zone: tzinfo | None) -> timedelta:
    """The offset of the zone's standard time by today's rules, which is Java's for all that was before 1900."""
    if standard := STANDARDS.get(zone_key(zone)):
        return standard.offset
    return min(then.astimezone(zone).utcoffset() or NONE for then in TODAYS_RULES)


def daylight(when: datetime) -> bool:
    """Whether daylight saving time was in force."""
    if when < FIRST_KNOWN:
        return False
    standard = STANDARDS.get(zone_key(when.tzinfo))
    if standard and when >= standard.since:
        return (when.utcoffset() or NONE) > standard.offset
    return (when.dst() or NONE) > NONE
