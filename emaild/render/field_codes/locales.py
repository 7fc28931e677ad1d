"""Locales by name, and the signs of their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from babel import Locale, UnknownLocaleError, default_locale
from babel.numbers import (
    get_currency_symbol,
    get_decimal_symbol,
    get_group_symbol,
    get_minus_sign_symbol,
    get_territory_currencies,
)

from emaild.render.field_codes.faults import Wrong

LONGEST = 50  # characters of a locale's name
OLD_NAMES = {"no": "nb"}  # Java's name of it, unknown to CLDR
NO_CURRENCY = "XXX"  # ISO 4217
USUAL_LOCALE = "en_US"


@dataclass(frozen=True)
class NumberSigns:
    """What a locale writes in numbers; the currency is that of its territory, as a code."""

    decimal: str
    group: str
    minus: str
    currency: str
    symbol: str


@lru_cache(100)
def locale(name: str) -> Locale:
    """The locale of a name like `en_US` or `de`.

    Raises:
        Wrong: there is none.
    """
    language, *others = name[:LONGEST].strip().replace("-", "_").split("_")
    try:
        return Locale.parse("_".join([OLD_NAMES.get(language, language), *others]))
    except (UnknownLocaleError, ValueError, TypeError):
        raise Wrong(f"{name[:LONGEST]!a} is no locale; expected one such as en_US") from None


def system_locale() -> str:
    """The name of this machine's locale of dates and numbers."""
    return (default_locale("LC_TIME") or "").removesuffix("_POSIX") or USUAL_LOCALE


@lru_cache(100)
def number_signs(name: str) -> NumberSigns:
    """The signs that the locale of that name uses.

    Raises:
        Wrong: there is none.
    """
    found = locale(name)
    codes = get_territory_currencies(found.territory) if found.territory else []
    currency = codes[0] if codes else NO_CURRENCY
    return NumberSigns(
        decimal=get_decimal_symbol(found),
        group=get_group_symbol(found),
        minus=get_minus_sign_symbol(found),
        currency=currency,
        symbol=get_currency_symbol(currency, found),
    )
