"""What Java 17 printed: every line of the vectors, and every name of a zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from emaild.render.simple_date_format import IllegalPattern, SimpleDateFormat
from emaild.render.simple_date_format.offsets import STANDARDS

VECTORS = Path(__file__).parents[2] / "vectors"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WINTER, SUMMER = datetime(2020, 1, 15, 12, tzinfo=UTC), datetime(2020, 7, 15, 12, tzinfo=UTC)
REFUSED = "!"


def lines(name: str) -> Iterator[list[str]]:
    for line in (VECTORS / name).read_text(encoding="utf-8").splitlines():
        yield line.split("\t")


def zone(name: str) -> tzinfo:
    if not name.startswith("GMT+"):
        return ZoneInfo(name)
    hours, minutes = name.removeprefix("GMT+").split(":")
    return timezone(timedelta(hours=int(hours), minutes=int(minutes)))


def printed(pattern: str, milliseconds: str, zone_name: str, locale: str) -> str:
    when = (EPOCH + timedelta(milliseconds=int(milliseconds))).astimezone(zone(zone_name))
    try:
        return f"={SimpleDateFormat(pattern, locale).format(when)}"
    except IllegalPattern:
        return REFUSED


def test_all_vectors_agree() -> None:
    vectors = list(lines("simple_date_format.tsv"))
    found = [[*given, printed(*given)] for *given, _ in vectors]
    assert len(vectors) == 800
    assert found == vectors


@pytest.mark.parametrize(("pattern", "first"), [("z", 0), ("zzz", 0), ("zzzz", 2), ("zzzzzz", 2)])
def test_zones_are_called_as_java_calls_them(pattern: str, first: int) -> None:
    wrong, seen = [], set()
    formats = {locale: SimpleDateFormat(pattern, locale) for locale in {row[1] for row in lines("zone_names.tsv")}}
    for name, locale, *names in lines("zone_names.tsv"):
        for when in (WINTER.astimezone(ZoneInfo(name)), SUMMER.astimezone(ZoneInfo(name))):
            saved = bool(when.dst())
            seen.add((name in STANDARDS, saved))
            if name not in STANDARDS and formats[locale].format(when) != names[first + saved]:
                wrong.append((name, locale, when))
    assert wrong == []
    assert {(False, False), (False, True)} <= seen
