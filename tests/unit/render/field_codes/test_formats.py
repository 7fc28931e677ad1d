"""Values by patterns: numbers as Java's DecimalFormat, dates as SimpleDateFormat, and those of ours."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from emaild.render.field_codes import FieldCodeError, Scope, render

NOW = datetime(2024, 2, 1, 14, 3, 7, tzinfo=ZoneInfo("Europe/Paris"))


def written(value: str, pattern: str, locale: str = "en_US") -> str:
    return render(f'<$ {value} : "{pattern}" $>', Scope(now=NOW, locale=locale))


@pytest.mark.parametrize(
    ("number", "pattern", "text"),
    [
        ("2", "#.##", "2.00"),  # as Genesys documents; Java writes 2
        ("0.5", "#.##", "0.50"),
        ("0.5", "#.00", ".50"),
        ("0.5", ".00", ".50"),
        ("1234.5", "0", "1234"),
        ("1235.5", "0", "1236"),
        ("0.125", "0.00", "0.12"),
        ("0.375", "0.00", "0.38"),
        ("2.675", "0.00", "2.67"),  # the number a float holds is a little less
        ("0.1", "0.00000000000000000000", "0.10000000000000000000"),
        ("7", "000", "007"),
        ("7", "0.", "7."),
        ("7", "0;", "7"),
        ("0", "#", "0"),
        ("-0.4", "0", "0"),
        ("-4", "0", "-4"),
        ("1234567", "#,##0", "1,234,567"),
        ("123", "#,##0", "123"),
        ("1234567", "#,####", "123,4567"),
        ("12", "0,000", "0,012"),
        ("1e22", "#,##0", "10,000,000,000,000,000,000,000"),
        ("-1234.5", "#,##0.00;(#,##0.00)", "(1,234.50)"),
        ("-1", "0;0", "-1"),
        ("0.256", "0.0%", "25.6%"),
        ("0.256", "0‰", "256‰"),
        ("0.256", "0'%'", "0%"),
        ("3", "'#'0' o''clock'", "#3 o'clock"),
        ("3", "'n. '0", "n. 3"),
        ("1234.5", "¤#,##0.00", "$1,234.50"),
        ("-5", "¤0 ¤¤", "-$5 USD"),
        ("12345", "0.00E0", "1.23E4"),
        ("0.00123", "0.0E00", "1.2E-03"),
        ("9.996", "0.00E0", "1.00E1"),
        ("12345", "00.0E0", "12.3E3"),
        ("0", "0.0E0", "0.0E0"),
    ],
)
def test_numbers_by_a_pattern(number: str, pattern: str, text: str) -> None:
    assert written(number, pattern) == text


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("de_DE", "-1.234,50 €"),
        ("fr_FR", "-1\u202f234,50 €"),
        ("de_CH", "-1’234.50 CHF"),
        ("sv_SE", "−1\u00a0234,50 kr"),
        ("no_NO", "−1\u00a0234,50 kr"),
        ("de", "-1.234,50 ¤"),
    ],
)
def test_signs_of_numbers_are_the_locales(locale: str, text: str) -> None:
    assert written("-1234.5", "#,##0.00 ¤", locale) == text


@pytest.mark.parametrize(
    "pattern", ["0.0.0", "n. 0", "%0%", ".0E0", "0#", "#0.#0", "0,", "0a0", "%", "0 'x", "##0.0E0", ",,0", "'0'", ""]
)
def test_patterns_that_no_number_can_have_are_refused(pattern: str) -> None:
    with pytest.raises(FieldCodeError):
        written("1", pattern)


@pytest.mark.parametrize(
    ("days", "pattern", "text"),
    [
        ("1.5", "d 'days' hh:mm", "1 days 12:00"),
        ("1.5", "h:mm:ss", "36:00:00"),
        ("90/86400", "m'''' ss''", "1' 30'"),
        ("-0.25", "h", "-6"),
        ("Time() - Today()", "h 'h' m 'min'", "14 h 3 min"),
    ],
)
def test_a_number_of_days_as_a_duration(days: str, pattern: str, text: str) -> None:
    assert written(days, pattern) == text


def test_dates_by_a_pattern_in_their_own_zone() -> None:
    assert written("Time()", "EEEE, d MMMM yyyy 'at' HH:mm zzz") == "Thursday, 1 February 2024 at 14:03 CET"
    assert written("Time()", "EEEE d MMMM", "fr_FR") == "jeudi 1 février"


def test_booleans_and_strings_by_a_pattern() -> None:
    assert written("1 = 1", "yes;no") == "yes"
    assert written("1 = 2", "yes;no") == "no"
    assert written("“Ann”", "Dear @, @") == "Dear Ann, Ann"
    assert written("“a@b”", "[@]") == "[a@b]"


@pytest.mark.parametrize(("value", "pattern"), [("True", "yes"), ("“a”", "a"), ("Time()", "d 'open"), ("1", "0" * 501)])
def test_other_patterns_are_refused(value: str, pattern: str) -> None:
    with pytest.raises(FieldCodeError, match=r"no pattern for|too long"):
        written(value, pattern)
