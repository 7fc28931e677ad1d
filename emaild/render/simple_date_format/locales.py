"""What a locale calls months, days and eras, and its digits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from emaild.render.simple_date_format.weeks import Weeks, weeks

OLD_LANGUAGES = {"iw": "he", "in": "id", "ji": "yi"}
BUDDHIST = "buddhist"
SAME = "="
SAME_AS = {2: 0, 3: 1, 8: 7}  # the column that `=` repeats
LONGEST = 100  # characters of a locale that are read


@dataclass(frozen=True)
class LocaleData:
    """The names that *locale* uses: months from January, days from Sunday, each short and long."""

    locale: str
    months: tuple[tuple[str, ...], tuple[str, ...]]
    months_alone: tuple[tuple[str, ...], tuple[str, ...]]
    days: tuple[tuple[str, ...], tuple[str, ...]]
    halves: tuple[str, ...]
    eras: tuple[str, str]
    zero: str
    year_shift: int
    weeks: Weeks


def candidates(locale: str) -> tuple[str, ...]:
    """The locales whose data serve for that one, best first; the last is the empty one.

    *locale* is like `de`, `en_US`, `zh-Hant-TW` or `th_TH_TH`; nothing in it is an error.
    """
    language, script, territory, variant = _subtags(locale)
    found = (
        (language, script, territory, variant),
        (language, script, territory),
        (language, territory, variant),
        (language, script),
        (language, territory),
        (language,),
        (),
    )
    return tuple(dict.fromkeys("_".join(filter(None, one)) for one in found))


def _subtags(locale: str) -> tuple[str, str, str, str]:
    """Language, script, territory and variant; an extension (`-u-…`) is not read."""
    language, *others = locale[:LONGEST].replace("-", "_").split("_")
    script = others.pop(0).title() if others and len(others[0]) == 4 and others[0].isalpha() else ""
    territory = others.pop(0).upper() if others and len(others[0]) in {2, 3} else ""
    variant = others[0].upper() if others and len(others[0]) > 1 else ""
    return OLD_LANGUAGES.get(language.lower(), language.lower()), script, territory, variant


@cache
def _rows() -> dict[str, list[str]]:
    """The data file's lines, with what their empty columns take from others."""
    found: dict[str, list[str]] = {}
    for line in Path(__file__).with_name("locale_names.tsv").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            names, parent, *row = line.split("\t")
            filled = [own or inherited for own, inherited in zip(row, found.get(parent, row), strict=True)]
            found |= dict.fromkeys(names.split(" "), filled)
    return found


@lru_cache(100)
def locale_data(locale: str) -> LocaleData:
    """The names, digits and weeks of that locale, else of its language, else of none."""
    rows = _rows()
    row = next(rows[name] for name in candidates(locale) if name in rows)
    row = [row[SAME_AS[column]] if value == SAME else value for column, value in enumerate(row)]
    lists = [tuple(value.split("|")) for value in row[:7]]
    return LocaleData(
        locale=locale,
        months=(lists[0], lists[1]),
        months_alone=(lists[2], lists[3]),
        days=(lists[4], lists[5]),
        halves=lists[6],
        eras=(row[7], row[8]),
        zero=row[9],
        year_shift=543 if row[10] == BUDDHIST else 0,
        weeks=weeks(_subtags(locale)[2]),
    )
