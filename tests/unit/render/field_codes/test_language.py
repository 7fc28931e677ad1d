"""The language of field codes; the examples are those of the documentation where it has one."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from emaild.render.field_codes import FieldCodeError, Scope, check, render

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2024, 2, 1, 9, 3, 7, tzinfo=PARIS)


def value(code: str, **given: object) -> str:
    return render(f"<${code}$>", Scope(now=NOW, **given))  # type: ignore[arg-type]


def fault(code: str, **given: object) -> str:
    with pytest.raises(FieldCodeError) as raised:
        value(code, **given)
    return str(raised.value)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("12.34e-2 = 0.1234", "True"),
        (".5 + 5. + 1E1", "16"),
        (r'"\a\b\f\n\r\t\v\'\"\\"', "\a\b\f\n\r\t\v'\"\\"),
        ('“He said \\“hi\\”, "hi"”', '"He said “hi”, "hi""'[1:-1]),
        ("„deutsch“", "deutsch"),
        ('"ends with $> or <$ inside"', "ends with $> or <$ inside"),
        ('"typed\r\nbreak"', "typed break"),
        ("tRUE", "True"),
        ("0.5 + 1", "2"),  # a half goes to the even neighbour
        ("0 - 0.4", "0"),
        ("1e20", "100000000000000000000"),
        ("1234567.4", "1234567"),
        ("Date(1965, 11, 23, 9, 3, 10)", "1965-11-23 09:03:10"),
    ],
)
def test_literals_and_default_text_forms(code: str, text: str) -> None:
    assert value(code) == text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("2^3", "8"),
        ("2*3", "6"),
        ("8/2", "4"),
        ("14 Mod 5", "4"),
        ("-14 mod 5", "-4"),
        ("2 + 3", "5"),
        ("2 – 3", "-1"),
        ("2 > 3", "False"),
        ("2 GT 3", "False"),
        ("2 >= 2", "True"),
        ("2 ge 2", "True"),
        ("2 < 3", "True"),
        ("2 LT 3", "True"),
        ("2 <= 3", "True"),
        ("3 Le 2", "False"),
        ("2 = 3", "False"),
        ("2 == 2", "True"),
        ("2 EQ 2", "True"),
        ("2 <> 3", "True"),
        ("2 != 3", "True"),
        ("2 ne 2", "False"),
        ('2 : "#.##"', "2.00"),
        ("2 : “#.##”", "2.00"),
        ('"ab" = "AB"', "True"),
        ('"STRASSE" < "straßf"', "True"),
        ('"b" > "A"', "True"),
        ("True <> False", "True"),
        ("True Xor True", "False"),
    ],
)
def test_each_operator_and_its_synonyms(code: str, text: str) -> None:
    assert value(code) == text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("-2^2", "4"),
        ("2^3^2", "64"),
        ("2*3^2", "18"),
        ("14 Mod 2*3", "2"),
        ("1 + 14 Mod 5", "5"),
        ("10 - 3 - 2", "5"),
        ("1 + 1 > 1", "True"),
        ("Not 1 = 2", "True"),
        ("Not False And False", "False"),
        ("True Or False And False", "True"),
        ("(True Or False) And False", "False"),
        ('1 + 1 : "0.0"', "2.0"),
        ('1 > 2 : "yes;no"', "no"),
        ("2^-1 * 4", "2"),
        ("- - 3", "3"),
        ("1 = 1 = Not False", "True"),
    ],
)
def test_operators_bind_in_their_order(code: str, text: str) -> None:
    assert value(code) == text


@pytest.mark.parametrize("code", ["Not (False And 1/0 > 0)", "True Or 1/0 > 0", 'If(True, "kept", 1/0) = "kept"'])
def test_what_is_not_needed_is_not_worked_out(code: str) -> None:
    assert value(code) == "True"


@pytest.mark.parametrize("code", ["True And 1/0 > 0", "False Or 1/0 > 0", "True Xor 1/0 > 0", "If(False, 1, 1/0)"])
def test_what_is_needed_is_worked_out(code: str) -> None:
    assert "divides by zero" in fault(code)


def test_a_string_joins_any_value() -> None:
    assert value('"n " + 2 + True + " " + Date(2024, 1, 2)') == "n 2True 2024-01-02 00:00:00"


def test_dates_are_days_apart_and_move_by_days() -> None:
    assert value('Date(2024, 3, 2, 12) - Date(2024, 3, 1) : "0.00"') == "1.50"
    assert value("Date(2024, 3, 1) + 1.5") == "2024-03-02 12:00:00"
    assert value("1 + Date(2024, 3, 1)") == "2024-03-02 00:00:00"
    assert value("Date(2024, 3, 1) - 1") == "2024-02-29 00:00:00"
    created = {"DateCreated": datetime(2024, 1, 20, tzinfo=UTC)}
    assert value("Time() - Interaction.DateCreated > 14", interaction=created) == "False"
    assert value("Time() - Interaction.DateCreated > 12", interaction=created) == "True"


def test_the_day_on_which_clocks_go_forward_has_23_hours() -> None:
    assert value('(Date(2024, 4, 1) - Date(2024, 3, 31)) * 24 : "0.0"') == "23.0"
    assert value("Date(2024, 3, 31) + 1") == "2024-04-01 01:00:00"
    assert value("AddDays(Date(2024, 3, 31), 1)") == "2024-04-01 00:00:00"


def test_dates_are_compared_by_their_moments_also_when_clocks_go_back() -> None:
    summer, winter = (datetime(2024, 10, 27, hour, minute, tzinfo=UTC) for hour, minute in ((0, 30), (1, 15)))
    custom = {"summer": summer.astimezone(PARIS), "winter": winter.astimezone(PARIS)}  # 02:30, and 02:15 after it
    assert value('(summer < winter) + " " + (winter - summer > 0)', custom=custom) == "True True"


def test_white_space_and_line_breaks_inside_a_code_are_free() -> None:
    assert render("a <$\r\n1\t+\n  2 $> b\n", Scope()) == "a 3 b\n"
    assert value("Contact . FirstName", contact={"FirstName": "Ann"}) == "Ann"


def test_the_guides_example() -> None:
    scope = Scope(contact={"FirstName": "Ann", "LastName": "Lee"})
    assert render('Dear <$ Contact.FirstName+ " "+Contact.LastName $>.', scope) == "Dear Ann Lee."


def test_text_without_codes_is_left_alone() -> None:
    text = "a $> b < $ {{ x }} \\n &amp;\r\n"
    assert render(text, Scope()) == text
    assert render(text, Scope(), html=True) == text


@pytest.mark.parametrize(
    ("text", "line", "column", "problem"),
    [
        ("one\ntwo <$ 1 +", 2, 5, "this code is not closed"),
        ("<$ $>", 1, 4, "found $>; expected a value"),
        ("<$ 1 + $>", 1, 8, "found $>; expected a value"),
        ("<$ 1 2 $>", 1, 6, "found 2; expected an operator or $>"),
        ("<$ (1 $>", 1, 7, "found $>; expected )"),
        ("<$ Min(1 2) $>", 1, 10, "found 2; expected , or )"),
        ("<$ Min(1,) $>", 1, 10, "found ); expected a value"),
        ('<$ "abc $>', 1, 4, "this string is not closed"),
        ('<$ "a\\q" $>', 1, 6, "the escape of 'q' is unknown"),
        ("<$ 1 <$ 2 $> $>", 1, 6, "found <$ inside a code"),
        ("<$ a § b $>", 1, 6, "found the character '§'"),
        ("<$Length(WeekdayName(Date(1965, 11, 23, 9, 3, 10))$>)", 1, 51, "found $>; expected , or )"),
        ("<$ 1e400 $>", 1, 4, "too large"),
        (f"<$ {'n' * 65} $>", 1, 4, "too long; expected at most 64"),
        ("<$ Foo(1) $>", 1, 4, "the function Foo is unknown; expected a listed name such as Floor"),
        ("<$ Contact.Frstname $>", 1, 4, "expected a listed name such as Contact.FirstName"),
        ("<$ Interaction.AttachedData $>", 1, 4, "expected ( after it"),
        ("<$ Contact.Id(1) $>", 1, 4, "expected no parentheses"),
        ("<$ Left(“a”) $>", 1, 4, "Left got 1 arguments; expected 2: Left(String, Count)"),
        ('<$ 1\n + Mid("abc", "abc") $>', 2, 15, 'expected a whole number, found the string "abc" as the 2nd argument'),
        ("<$ Left(Upper(“a”), 1.5) $>", 1, 21, "expected a whole number, found 1.5 as the 2nd argument of Left"),
        ("<$ Day(Abs(1)) $>", 1, 8, "expected a date, found a number as the 1st argument of Day"),
        ("<$ Not 1 $>", 1, 4, "found a number after not; expected True or False"),
        ("<$ -(1 > 2) $>", 1, 4, "found True or False after -; expected a number"),
        ("<$ 1 And True $>", 1, 6, "found a number and True or False; expected True or False on both sides"),
        ("<$ 1 * “a” $>", 1, 6, "found a number * a string; expected numbers"),
        ("<$ Time() + Time() $>", 1, 11, "found a date + a date; expected numbers, or a date"),
        ("<$ True < False $>", 1, 9, "expected two numbers, two strings or two dates"),
        ("<$ 1 : 2 $>", 1, 6, "expected a string with a pattern"),
        ("<$ 1 : “0.0.0” $>", 1, 8, '"0.0.0" is no pattern for a number'),
        ("<$ Text(Time(), “bb”) $>", 1, 17, '"bb" is no pattern for a date'),
        ("<$ Contact.Id : “'” $>", 1, 17, "is no pattern for a number, date, string or boolean"),
    ],
)
def test_a_wrong_code_is_found_without_values_and_never_rendered(
    text: str, line: int, column: int, problem: str
) -> None:
    (found,) = check(text)
    assert problem in found.problem
    assert (found.line, found.column) == (line, column)
    assert str(found) == f"{found.problem} (line {line}, column {column})"
    assert text.split("\n")[line - 1][column - 1 :] == text[found.offset :].split("\n")[0]
    with pytest.raises(FieldCodeError, match="line"):
        render(text, Scope())


def test_check_finds_every_wrong_code_of_a_text() -> None:
    found = check("<$ 1 $> <$ ) $>\n<$ Contact.A + Foo() + Contact.B $> <$ Agent.FullName $> <$ 'a' $>")
    assert [(fault.line, fault.column) for fault in found] == [(1, 12), (2, 4), (2, 16), (2, 24), (2, 61)]


def test_a_branch_that_is_not_taken_is_looked_at_too() -> None:
    assert "Contact.Nope is unknown" in fault("If(True, 1, Contact.Nope)")


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("custom.name", "custom.name is unknown; expected a listed property or the name of a custom value"),
        ("Day(Contact.Title)", "expected a date, found an empty string as the 1st argument of Day (line 1, column 7)"),
        ("Abs(Contact.FirstName)", "expected a number, found a string as the 1st argument of Abs"),
        ("Contact.FirstName * 2", "found a string * a number; expected numbers"),
        ("-Contact.FirstName", "found a string after -; expected a number"),
        ("Contact.FirstName = 5", "found a string beside another kind"),
        ('Contact.FirstName : "0.0"', "is no pattern for a string"),
        ("Contact.FirstName And True", "expected True or False on both sides"),
        ("1 / (1 - 1)", "divides by zero"),
        ("1 Mod 0", "divides by zero"),
        ("0 ^ -1", "this power is no number"),
        ("(-8) ^ 0.5", "this power is no number"),
        ("2 ^ 1e9", "too large"),
        ("1e308 * 10", "too large"),
        ('1e308 : "0%"', "too large"),
        ('1e308 : "h"', "too large"),
        ("Date(“ſeptember 3, 2024”)", "is no date"),  # an s only for those who do not mind case
        ("2 : “<b>”", '"<b>" is no pattern for a number'),
        ("Date(2024, 2, 30)", "Date got parts that are no date"),
        ("Date(2024, 1)", "Date got 2 numbers"),
        ("Date(2024, 1, 1.5)", "no whole number"),
        ("Time() + 1e9", "too large"),
        ("Time() - 1e300", "too large"),
        ("AddDays(Time(), 1e300)", "too large"),
        ("AddMonths(Time(), 1e9)", "too large"),
        ('InZone(Date(1, 1, 1), "GMT-10.00")', "too large"),
        ('Num("1e999")', "too large"),
        ("Sqrt(-1)", "below 0"),
        ("Left(“a”, -1)", "expected a number of at least 0"),
        ("Mid(“a”, 0)", "expected a number of at least 1"),
        ("Date(“2024-02-30”)", "is no date in the locale en_US"),
        ("Date(“November 23, 1965, at 9:03 AM”)", "is no date"),
        ("Date(“mercredi 23 novembre 1965”, “fr_FR”)", "is no date"),  # it was a Tuesday
        ("Num(“1”, “xx_YY”)", "'xx_YY' is no locale; expected one such as en_US"),
        ("InZone(Time(), “../../etc/passwd”)", "found no zone"),
        ("Date(“2024-01-01”, “en_US”, “more”)", "found more after the text"),
    ],
)
def test_a_value_that_cannot_be_worked_out_is_a_fault(code: str, problem: str) -> None:
    assert problem in fault(code, contact={"FirstName": "secret"})
    assert "secret" not in fault(code, contact={"FirstName": "secret"})


def test_the_position_is_in_the_whole_text() -> None:
    with pytest.raises(FieldCodeError) as raised:
        render("Dear\n<$1$>\n  <$ 1 + 2 / 0 $>", Scope())
    assert (raised.value.line, raised.value.column, raised.value.offset) == (3, 12, 22)
