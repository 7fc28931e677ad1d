"""How lines in Genesys's formats show the time."""

from __future__ import annotations

import contextlib
import locale
import re
from collections.abc import Callable, Iterable
from datetime import datetime

from emaild.settings.log import LogSection, TimeConvert, TimeFormat

Moment = Callable[[str], str]
"""An event's time stamp in ISO 8601 and UTC -> as it is to be shown."""


def moment_of(section: LogSection) -> Moment:
    """As *section* wants it."""
    written = {TimeFormat.TIME: _time, TimeFormat.ISO8601: _iso, TimeFormat.LOCALE: _in_locale()}[section.time_format]
    if section.time_convert is TimeConvert.UTC:
        return lambda stamp: written(datetime.fromisoformat(stamp))
    return lambda stamp: written(datetime.fromisoformat(stamp).astimezone())


def _time(when: datetime) -> str:
    return when.strftime("%H:%M:%S.") + f"{when.microsecond // 1000:03}"


def _iso(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT") + _time(when)


def _in_locale() -> Callable[[datetime], str]:
    """The form of the environment's locale.

    That locale holds for this moment only: all else that emaild writes, as dates in mails, must be in English.
    """
    before = locale.setlocale(locale.LC_TIME)
    try:
        with contextlib.suppress(locale.Error):  # this machine has not what the environment names
            locale.setlocale(locale.LC_TIME, "")
        form = locale.nl_langinfo(locale.D_T_FMT)
        days = {mark: _names(kind, (2, 3, 4, 5, 6, 7, 1)) for mark, kind in (("%a", "ABDAY"), ("%A", "DAY"))}
        months = {mark: _names(kind, range(1, 13)) for mark, kind in (("%b", "ABMON"), ("%h", "ABMON"), ("%B", "MON"))}
    finally:
        locale.setlocale(locale.LC_TIME, before)

    def written(when: datetime) -> str:
        def name(found: re.Match[str]) -> str:
            mark = found[0]
            return days[mark][when.weekday()] if mark in days else months[mark][when.month - 1]

        return when.strftime(re.sub("%[aAbBh]", name, form))

    return written


def _names(kind: str, numbers: Iterable[int]) -> list[str]:
    return [locale.nl_langinfo(getattr(locale, f"{kind}_{number}")) for number in numbers]
