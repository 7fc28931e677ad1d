"""Text read as a number: the function Num."""

from __future__ import annotations

import re
from functools import lru_cache

from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.limits import LONGEST_NUMBER
from emaild.render.field_codes.locales import number_signs
from emaild.render.field_codes.values import finite

ALIKE = (" \u00a0\u202f", "'’")  # people type the plain ones for what a locale writes between thousands


def number_from(text: str, locale_name: str) -> float:
    """The number that the text begins with, by the signs of the locale; 0 where there is none.

    What follows the number is ignored, as Genesys documents: `12.2e2Zork` is 1220.

    Raises:
        Wrong: the locale is unknown, or the number is too large.
    """
    found = _pattern(locale_name).match(text)
    if found is None:
        return 0.0
    if len(found[0]) > LONGEST_NUMBER:
        raise Wrong(f"this number is too long; expected at most {LONGEST_NUMBER} characters")
    whole = re.sub("[^0-9]", "", found["whole"])
    sign = "-" if found["sign"] in ("-", "−") else ""
    return finite(float(f"{sign}{whole or 0}.{found['fraction'] or 0}{found['exponent'] or ''}"))


@lru_cache(100)
def _pattern(locale_name: str) -> re.Pattern[str]:
    signs = number_signs(locale_name)
    decimal = re.escape(signs.decimal)
    group = re.escape(next((alike for alike in ALIKE if signs.group in alike), signs.group))
    return re.compile(
        rf"\s*+(?P<sign>[-+−]?)(?={decimal}?[0-9])(?P<whole>(?:[0-9]++(?:[{group}](?=[0-9]))?)*+)"
        rf"(?:{decimal}(?P<fraction>[0-9]*+))?(?P<exponent>[eE][+-]?[0-9]++)?"
    )
