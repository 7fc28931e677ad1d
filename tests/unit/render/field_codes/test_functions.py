"""What each function says; with the documentation's examples."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from emaild.render.field_codes import FUNCTIONS, OURS, Scope, render

NOW = datetime(2024, 2, 1, 14, 3, 7, tzinfo=ZoneInfo("Europe/Paris"))

EXAMPLES = [
    ("If(1 < 2, “yes”, “no”)", "yes"),
    ("If(1 > 2, “yes”, “no”)", "no"),
    ("Bool(0)", "False"),
    ("Bool(25.23)", "True"),
    ("Bool(“Yes”)", "True"),
    ("Bool(“off”, True)", "False"),
    ("Bool(“Asteroids”)", "False"),
    ("Bool(“Asteroids”, True)", "True"),
    ("Num(“12.2e2Zork”)", "1220"),
    ("Num(“12e-2”) = 0.12", "True"),
    ("Num(“10,00”, “fr_FR”)", "10"),
    ("Num(“10,00”)", "1000"),
    ("Num(“ -1.234,5 kg”, “de_DE”) = -1234.5", "True"),
    ("Num(“1 234,5”, “fr-FR”) = 1234.5", "True"),
    ("Num(“1'234.5”, “de_CH”) = 1234.5", "True"),
    ("Num(“1.5.7”) = 1.5", "True"),
    ("Num(“.5”) = 0.5", "True"),
    ("Num(“Zork”)", "0"),
    ("Num(“”)", "0"),
    ("Text(12.5)", "12"),
    ("Text(12.5, “0.0”)", "12.5"),
    ("Text(1234.5, “#,##0.00”, “de_DE”)", "1.234,50"),
    ("Text(Date(2024, 2, 1), “EEEE d MMMM yyyy”, “fr_FR”)", "jeudi 1 février 2024"),
    ("Abs(-2)", "2"),
    ("Ceil(1.2)", "2"),
    ("Ceil(-1.2)", "-1"),
    ("Floor(-1.2)", "-2"),
    ("Date(1965, 11, 23)", "1965-11-23 00:00:00"),
    ("Date(1965, 11, 23, 9, 3)", "1965-11-23 09:03:00"),
    ("Date(“1965-11-23 09:03:10”)", "1965-11-23 09:03:10"),
    ("Date(“1965-11-23T09:03Z”) : “HH:mm z”", "09:03 UTC"),
    ("Date(“November 23, 1965 9:03 AM”)", "1965-11-23 09:03:00"),
    ("Date(“nov 23, 1965,  9:03:10 pm”)", "1965-11-23 21:03:10"),
    ("Date(“12/31/99 12:00 AM”)", "1999-12-31 00:00:00"),
    ("Date(“12/31/44”)", "2044-12-31 00:00:00"),
    ("Date(“12/31/45”)", "1945-12-31 00:00:00"),
    ("Date(“23 novembre 1965 21:03:00”, “fr_FR”)", "1965-11-23 21:03:00"),
    ("Date(“mardi 23 novembre 1965”, “fr_FR”)", "1965-11-23 00:00:00"),
    ("Date(“23.11.65”, “de_DE”)", "1965-11-23 00:00:00"),
    ("Date(“3 mar 2024”, “es_ES”)", "2024-03-03 00:00:00"),
    ("Date(“2024年3月1日”, “ja_JP”)", "2024-03-01 00:00:00"),
    ("Time()", "2024-02-01 14:03:07"),
    ("Day(Time())", "1"),
    ("Hour12(Time())", "2"),
    ("Hour12(Today())", "12"),
    ("Hour24(Time())", "14"),
    ("IsAm(Time())", "False"),
    ("IsPm(Time())", "True"),
    ("WeekdayName(Date(1965, 11, 23, 9, 3, 10))", "Tuesday"),
    ("Length(WeekdayName(Date(1965, 11, 23, 9, 3, 10)))", "7"),
    ("WeekdayName(Time(), “de”)", "Donnerstag"),
    ("Minute(Time())", "3"),
    ("Second(Time())", "7"),
    ("Month(Time())", "2"),
    ("MonthName(Time())", "February"),
    ("MonthName(Time(), “fr_FR”)", "février"),
    ("Weekday(Time())", "5"),
    ("Weekday(Date(2024, 2, 4))", "1"),
    ("Year(Time())", "2024"),
    ("Today()", "2024-02-01 00:00:00"),
    ("AddDays(Today(), -1)", "2024-01-31 00:00:00"),
    ("AddMonths(Date(2024, 1, 31), 1)", "2024-02-29 00:00:00"),
    ("AddMonths(Date(2024, 1, 31), -14)", "2022-11-30 00:00:00"),
    ("InZone(Time(), “GMT+05.30”)", "2024-02-01 18:33:07"),
    ("InZone(Time(), “GMT-01:00”)", "2024-02-01 12:03:07"),
    ("InZone(Time(), “gmt”)", "2024-02-01 13:03:07"),
    ("InZone(Time(), “Asia/Tokyo”)", "2024-02-01 22:03:07"),
    ("Length(“Hello, world!”)", "13"),
    ("Left(“abc”, 2)", "ab"),
    ("Left(“abc”, 9)", "abc"),
    ("Right(“abc”, 2)", "bc"),
    ("Right(“abc”, 0)", ""),
    ("Right(“abc”, 9)", "abc"),
    ("Mid(“abcd”, 2)", "bcd"),
    ("Mid(“abcd”, 2, 2)", "bc"),
    ("Mid(“abcd”, 9)", ""),
    ("Upper(“abc é”)", "ABC É"),
    ("Lower(“ABC É”)", "abc é"),
    ("Proper(“ANN o'hara-LEE it's”)", "Ann O'hara-Lee It's"),
    ("Trim(“\\t a b \\n”)", "a b"),
    ("Find(“B”, “abab”)", "2"),
    ("Find(“b”, “abab”, 3)", "4"),
    ("Find(“x”, “abab”)", "0"),
    ("Replace(“aBab”, “b”, “xy”)", "axyaxy"),
    ("Replace(“İstanbul ΑΣ”, “σ”, “s”)", "İstanbul Αs"),
    ("Substitute(“a b”, “ ”, “”)", "ab"),
    ("Contains(“Invoice 7”, “invoice”)", "True"),
    ("Contains(“Invoice 7”, “8”)", "False"),
    ("StartsWith(“Re: a”, “RE:”)", "True"),
    ("StartsWith(“a Re:”, “RE:”)", "False"),
    ("EndsWith(“a.PDF”, “.pdf”)", "True"),
    ("EndsWith(“a.pdf.exe”, “.pdf”)", "False"),
    ("Repeat(“ab”, 3)", "ababab"),
    ("Repeat(“ab”, 0)", ""),
    ("Split(“a, b, c”, “, ”, 2)", "b"),
    ("Split(“a”, “,”, 2)", ""),
    ("Round(2.5)", "3"),
    ("Round(-2.5)", "-3"),
    ("Round(1.005, 2) = 1.01", "True"),
    ("Round(1234, -2)", "1200"),
    ("Min(3, 1, 2)", "1"),
    ("Max(3, 1, 2)", "3"),
    ("Sqrt(9)", "3"),
    ("IsEmpty(“ \\n”)", "True"),
    ("IsEmpty(0)", "False"),
    ("Coalesce(“”, “ ”, 5, 6)", "5"),
    ("Coalesce(“”)", ""),
    ("Interaction.AttachedData(“Key”)", "of the key"),
    ("Contact.EmailAddresses.Exists(“ANN@example.com”)", "True"),
]


@pytest.mark.parametrize(("code", "text"), EXAMPLES)
def test_what_a_function_says(code: str, text: str) -> None:
    scope = Scope(
        now=NOW, attached_data={"Key": "of the key"}, contact={"EmailAddresses": ["bob@example.com", "ann@example.com"]}
    )
    assert render(f"<${code}$>", scope) == text


def test_each_function_has_an_example_here() -> None:
    used = {code.lower() for code, _ in EXAMPLES}
    assert [name for name in FUNCTIONS if not any(f"{name}(" in code for code in used)] == []


def test_ours_are_those_that_genesys_does_not_document() -> None:
    genesys = "If Length Abs Ceil Floor Date Time Day Hour12 Hour24 IsAm IsPm WeekdayName Bool Num Text"
    methods = ["Interaction.AttachedData", "Contact.EmailAddresses.Exists"]
    assert {one.name for one in FUNCTIONS.values()} - {one.name for one in OURS} == {*genesys.split(), *methods}


def test_a_date_is_read_in_its_own_zone() -> None:
    created = datetime(2024, 7, 1, 23, 30, tzinfo=ZoneInfo("America/New_York"))
    code = '<$Hour24(Interaction.DateCreated)$> <$Interaction.DateCreated$> <$Interaction.DateCreated : "HH:mm z"$>'
    assert render(code, Scope(now=NOW, interaction={"DateCreated": created})) == "23 2024-07-01 23:30:00 23:30 EDT"


def test_the_scopes_locale_is_used_where_the_code_names_none() -> None:
    code = '<$WeekdayName(Date(2024,2,1))$> <$1.5:"0.0"$> <$Text(1.5,"0.0","en_US")$> <$Num("1,5"):"0.0"$> <$1234.5$>'
    assert render(code, Scope(now=NOW, locale="de_DE")) == "Donnerstag 1,5 1.5 1,5 1234"
