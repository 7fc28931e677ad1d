"""Dates as Java's SimpleDateFormat writes them: what the vectors do not reach, each behaviour as Java 17 prints it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emaild.render.simple_date_format import IllegalPattern, SimpleDateFormat

LETTERS = "GyMdkHmsSEDFwWahKzZYuXL"
JULY = datetime(2024, 7, 3, 9, 46, 40, 7_999, tzinfo=UTC)
JANUARY = datetime(2024, 1, 15, 0, 5, tzinfo=UTC)


def written(pattern: str, when: datetime = JULY, locale: str = "en_US") -> str:
    return SimpleDateFormat(pattern, locale).format(when)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("y|yy|yyy|yyyyy", "2024|24|2024|02024"),
        ("H k K h", "9 9 9 9"),
        ("S SS SSSS", "7 07 0007"),
        ("a aaaa G GGGG", "AM AM AD AD"),
        ("M MM MMM MMMM MMMMM", "7 07 Jul July July"),
        ("E EEEE u", "Wed Wednesday 3"),
        ("D DDDD d F w W", "185 0185 3 1 27 1"),
    ],
)
def test_each_letter_writes_its_field(pattern: str, text: str) -> None:
    assert written(pattern) == text


def test_midnight_is_0_12_and_24() -> None:
    assert written("H K h k a", JANUARY) == "0 0 12 24 AM"


def test_noon_is_12_and_0() -> None:
    assert written("H K h k a", JANUARY.replace(hour=12)) == "12 0 12 12 PM"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("E'a'E", "WedaWed"),
        ("y''y", "2024'2024"),
        ("'it''s'", "it's"),
        ("''''", "''"),
        ("'y'''y", "y'2024"),
        ("año, ‰\n", "AMñ7, ‰\n"),
        ("", ""),
    ],
)
def test_quotes_protect_text_and_other_characters_need_none(pattern: str, text: str) -> None:
    assert written(pattern.replace("o", "M")) == text


@pytest.mark.parametrize(
    ("pattern", "position", "reason"),
    [
        ("yyyy-bb", 6, "b is no field; expected one of GyMdkHmsSEDFwWahKzZYuXL, or text between quotes"),
        ("HH 'open", 4, "the quote that opens here is not closed; expected a ' after the text"),
        ("'''", 3, "the quote that opens here is not closed; expected a ' after the text"),
        ("y XXXX", 3, "X stands 4 times; expected X, XX or XXX"),
    ],
)
def test_what_java_refuses_is_refused_with_its_position(pattern: str, position: int, reason: str) -> None:
    with pytest.raises(IllegalPattern) as refused:
        SimpleDateFormat(pattern)
    assert (refused.value.position, str(refused.value)) == (position, f"character {position}: {reason}")
    assert isinstance(refused.value, ValueError)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an aware datetime"):
        written("y", JULY.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("locale", "pattern", "text"),
    [
        ("de_DE", "d. MMM|MMMM|LLL|LLLL", "15. Jan.|Januar|Jan|Januar"),
        ("de_DE", "MMM", "Jan"),
        ("de_DE", "MMM ", "Jan "),
        ("ru_RU", "d MMMM", "15 января"),
        ("ru_RU", "MMMM", "январь"),
        ("cs_CZ", "d. LLLL", "15. leden"),
    ],
)
def test_a_month_stands_in_a_date_or_alone(locale: str, pattern: str, text: str) -> None:
    assert written(pattern, JANUARY, locale) == text


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en_GB", "Wed 3 Jul 2024 am AD"),
        ("ar_EG", "الأربعاء ٣ يوليو ٢٠٢٤ ص م"),
        ("ar_MA", "الأربعاء 3 يوليوز 2024 ص م"),
        ("th_TH", "พ. 3 ก.ค. 2567 ก่อนเที่ยง พ.ศ."),
        ("th", "พ. 3 ก.ค. 2024 ก่อนเที่ยง ค.ศ."),
        ("xx_YY", "Wed 3 Jul 2024 AM CE"),
        ("", "Wed 3 Jul 2024 AM CE"),
        ("de_XX", "Mi. 3 Juli 2024 AM n. Chr."),
        ("de_Arab_XX", "Mi. 3 Juli 2024 AM n. Chr."),
        ("DE-at", "Mi. 3 Juli 2024 AM n. Chr."),
        ("sr_Latn_RS", "sre 3 jul 2024 pre podne n. e."),
        ("iw_IL", "יום ד׳ 3 יולי 2024 לפנה״צ לספירה"),
    ],
)
def test_names_digits_and_years_are_the_locales(locale: str, text: str) -> None:
    assert written("E d MMM yyyy a G", JULY, locale) == text


def test_offsets_are_written_with_latin_digits() -> None:
    assert written("Z X yy", JULY.astimezone(ZoneInfo("Africa/Cairo")), "ar_EG") == "+0300 +03 ٢٤"


@pytest.mark.parametrize(
    ("locale", "when", "text"),
    [
        ("en_US", datetime(2024, 12, 30, tzinfo=UTC), "2025 1 5 5"),
        ("de_DE", datetime(2024, 12, 30, tzinfo=UTC), "2025 1 5 5"),
        ("fr_FR", datetime(2021, 1, 3, tzinfo=UTC), "2020 53 0 1"),
        ("pt_PT", datetime(2021, 1, 2, tzinfo=UTC), "2020 53 0 1"),
        ("pt_PT", datetime(2021, 1, 10, tzinfo=UTC), "2021 2 2 2"),
        ("pt_BR", datetime(2021, 1, 2, tzinfo=UTC), "2021 1 1 1"),
        ("dv_MV", datetime(2025, 1, 3, tzinfo=UTC), "2025 2 2 1"),
        ("fa_AE", datetime(2025, 1, 4, tzinfo=UTC), "۲۰۲۵ ۲ ۲ ۱"),
        ("en", datetime(2025, 1, 5, tzinfo=UTC), "2025 2 2 1"),
        ("en_ZZ", datetime(2025, 1, 5, tzinfo=UTC), "2025 1 1 1"),
        ("en_US", datetime(9999, 12, 31, tzinfo=UTC), "10000 1 5 5"),
    ],
)
def test_weeks_are_counted_as_the_territory_counts_them(locale: str, when: datetime, text: str) -> None:
    assert written("YYYY w W F", when, locale) == text


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (datetime(1582, 10, 15, tzinfo=UTC), "1582-10-15 Fri 278 40 1 1"),
        (datetime(1582, 10, 14, tzinfo=UTC), "1582-10-4 Thu 277 40 1 1"),
        (datetime(1583, 1, 1, tzinfo=UTC), "1583-1-1 Sat 1 51 0 1"),
        (datetime(1500, 3, 10, tzinfo=UTC), "1500-2-29 Sat 60 9 4 5"),
        (datetime(1, 1, 1, tzinfo=UTC), "1-1-3 Mon 3 1 1 1"),
    ],
)
def test_dates_before_october_1582_are_julian(when: datetime, text: str) -> None:
    assert written("y-M-d E D w W F", when, "en_GB") == text


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        (UTC, "UTC Coordinated Universal Time +0000 Z Z Z"),
        (timezone(timedelta(hours=-3, minutes=-30)), "GMT-03:30 GMT-03:30 -0330 -03 -0330 -03:30"),
        (timezone(timedelta(hours=1, minutes=2, seconds=59)), "GMT+01:02 GMT+01:02 +0102 +01 +0102 +01:02"),
        (timezone(timedelta(minutes=30)), "GMT+00:30 GMT+00:30 +0030 +00 +0030 +00:30"),
        (timezone(timedelta(seconds=-59)), "GMT GMT +0000 +00 +0000 +00:00"),
        (ZoneInfo("Asia/Kathmandu"), "NPT Nepal Time +0545 +05 +0545 +05:45"),
        (ZoneInfo("Cuba"), "CDT Cuba Daylight Time -0400 -04 -0400 -04:00"),
    ],
)
def test_a_zone_has_a_name_and_an_offset(zone: tzinfo, text: str) -> None:
    assert written("z zzzz Z X XX XXX", JULY.astimezone(zone)) == text


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("de_AT", "MESZ Mitteleuropäische Sommerzeit"),
        ("pt_PT", "CEST Hora de verão da Europa Central"),
        ("fr_CA", "CEST heure avancée de l’Europe centrale"),
        ("sv_SE", "CEST centraleuropeisk sommartid"),
        ("xx", "CEST Central European Summer Time"),
    ],
)
def test_a_zone_is_named_in_the_language_of_the_locale(locale: str, text: str) -> None:
    assert written("z zzzz", JULY.astimezone(ZoneInfo("Europe/Paris")), locale) == text


@pytest.mark.parametrize(
    ("zone", "when", "text"),
    [
        ("Europe/Dublin", JULY, "+01 Irish Standard Time"),
        ("Europe/Dublin", JANUARY, "Z Greenwich Mean Time"),
        ("Europe/Dublin", datetime(1970, 1, 1, tzinfo=UTC), "+01 Irish Standard Time"),
        ("Africa/Casablanca", JULY, "+01 Western European Summer Time"),
        ("Africa/Casablanca", datetime(2024, 3, 21, tzinfo=UTC), "Z Western European Time"),
        ("Africa/Windhoek", JANUARY, "+02 Western African Time"),
    ],
)
def test_clocks_put_back_in_winter_make_the_summer_daylight_time(zone: str, when: datetime, text: str) -> None:
    assert written("X zzzz", when.astimezone(ZoneInfo(zone))) == text


@pytest.mark.parametrize(
    ("zone", "when", "text"),
    [
        ("Europe/Lisbon", datetime(1811, 7, 23, 15, 6, 40, tzinfo=UTC), "1811-07-23 15:06:40 Z WET"),
        ("Europe/Helsinki", datetime(1899, 12, 31, 23, 59, 59, tzinfo=UTC), "1900-01-01 01:59:59 +02:00 EET"),
        ("Europe/Helsinki", datetime(1900, 1, 1, tzinfo=UTC), "1900-01-01 01:39:49 +01:39 EET"),
        ("Africa/Windhoek", datetime(1880, 1, 1, tzinfo=UTC), "1880-01-01 01:00:00 +01:00 CAT"),
        ("America/New_York", datetime(1, 1, 2, 1, tzinfo=UTC), "0001-01-03 20:00:00 -05:00 EST"),
    ],
)
def test_before_1900_a_zone_has_its_standard_offset_of_today(zone: str, when: datetime, text: str) -> None:
    assert written("yyyy-MM-dd HH:mm:ss XXX z", when.astimezone(ZoneInfo(zone))) == text


@pytest.mark.parametrize("part", ["y", "yM", "'a'", "''", "-", "é"])
def test_a_long_pattern_is_written_in_linear_time(part: str) -> None:
    """So many characters that it would take minutes if each were looked at again for each other."""
    times = 200_000 // len(part)
    text = written(part * times)
    assert len(text) <= 5 * times


def test_a_number_is_padded_to_309_digits_at_most() -> None:
    assert written("y" * 1000) == "2024".zfill(309)


TEXT = st.text(alphabet=st.sampled_from(LETTERS + "ABbcx' -:_é\U0001f600\n"), max_size=60) | st.text(max_size=30)
LOCALE = st.text(alphabet=st.sampled_from("abdehnrstuzABDEHNRSTUZ_-19#@. "), max_size=20) | st.text(max_size=20)
ZONES = st.timezones() | st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone)


@given(TEXT, LOCALE, st.datetimes(timezones=ZONES))
def test_any_pattern_and_locale_is_written_or_refused(pattern: str, locale: str, when: datetime) -> None:
    try:
        found = SimpleDateFormat(pattern, locale)
    except IllegalPattern as refused:
        position = refused.position
    else:
        assert isinstance(found.format(when), str)
        return
    assert 1 <= position <= len(pattern)


@given(st.datetimes(timezones=ZONES))
def test_any_moment_is_written_in_all_fields(when: datetime) -> None:
    fields = SimpleDateFormat("|".join(LETTERS)).format(when).split("|")
    assert len(fields) == len(LETTERS)
    assert all(fields)


@given(TEXT, LOCALE, st.datetimes(timezones=ZONES), st.integers(0, 59))
@example("s ss'%s'sss:S z", "ar_EG", JULY, 7)
@example("HH:mm:ss", "de", datetime(1890, 7, 3, 9, 46, 40, tzinfo=ZoneInfo("Europe/Amsterdam")), 59)
def test_the_moments_of_a_minute_are_written_as_each_by_itself(
    pattern: str, locale: str, when: datetime, second: int
) -> None:
    try:
        form = SimpleDateFormat(pattern, locale)
    except IllegalPattern:
        return
    seconds = form.minute(when)
    for each in (second, 0, when.second):
        assert seconds(each) == form.format(when.replace(second=each))
