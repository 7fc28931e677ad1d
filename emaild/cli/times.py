"""Times as people type them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from emaild.settings import parse

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
AGO = re.compile(r"([0-9]{1,6}) ?([smhdw])(?: ago)?", re.ASCII)
LOCAL = re.compile(
    r"(?P<day>today|yesterday|[0-9]{4}-[0-9]{2}-[0-9]{2})?(?:(?:^|[ T])(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?))?",
    re.ASCII,
)
INSTANT = re.compile(r"[0-9-]{10}[Tt ][0-9:]{5,8}(?:\.[0-9]{1,6})?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})", re.ASCII)
EXPECTED = "10:30, yesterday, 'yesterday 10:30', 2026-11-21, '2026-11-21 10:30' or '2h ago'"


def moment_given(text: str, now: datetime, *, end: bool = False) -> datetime:
    """The moment that somebody means who sits in the zone of *now*, an aware time.

    `10:30` is the last time that it was half past ten; `2h`, or `2h ago`, counts back from now (s, m, h, d, w). A day
    alone means its beginning, or, for the *end* of a span, its end. A time with a zone is as RFC 3339 has it.

    Raises:
        ValueError: it is none of these.
    """
    said = " ".join(text.split())
    try:
        if said == "now":
            return now
        if ago := AGO.fullmatch(said):
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        if INSTANT.fullmatch(said):
            return datetime.fromisoformat(said.upper())
        if said and (local := LOCAL.fullmatch(said)):
            return _local(local["day"], local["time"], now, end=end)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"expected a time as {EXPECTED}, found {text!r}: {error}") from error
    raise ValueError(f"expected a time as {EXPECTED}, found {text!r}")


def _local(day: str | None, time: str | None, now: datetime, *, end: bool) -> datetime:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    named = {None: today, "today": today, "yesterday": today - timedelta(days=1)}
    start = named[day] if day in named else datetime.fromisoformat(str(day))
    if time is None:
        return _there(start + timedelta(days=1) if end else start)
    hour, minute, *second = map(int, time.split(":"))
    found = _there(start.replace(hour=hour, minute=minute, second=second[0] if second else 0))
    return _there(found - timedelta(days=1)) if day is None and found > now else found


def _there(when: datetime) -> datetime:
    """What the clock on the wall says, in the zone of this machine on that day."""
    return when.replace(tzinfo=None).astimezone()


def since(text: str) -> datetime:
    """For argparse: where a span begins."""
    return _argument(moment_given, text)


def until(text: str) -> datetime:
    """For argparse: where a span ends."""
    return _argument(moment_given, text, end=True)


def _argument(read: Callable[..., datetime], text: str, **how: bool) -> datetime:
    try:
        return read(text, datetime.now().astimezone(), **how)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def patience(least: str, most: str) -> Callable[[str], float]:
    """For argparse: how long to wait, in seconds."""
    parser = parse.within(least, most)

    def read(text: str) -> float:
        try:
            return parser.read(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"expected {parser.expects}, found {text!r}") from None

    return read
