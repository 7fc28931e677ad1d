"""Rows in columns, on terminals of some width and in a pipe."""

from __future__ import annotations

from datetime import datetime, timedelta

from rich.cells import cell_len

from emaild.cli.layout import hanging, in_columns
from emaild.cli.output import brief

HEAD = ("ID", "TO", "TRIES", "WHY")
ROWS = (("0MWQ000000000001", "ann@example.com", "1", "full"), ("0MWQ000000000002", "b@example.com", "12", ""))
LONG = ("0MWQ000000000003", f"{'x' * 70}@example.com", "3", "the server said much " * 9)


def test_what_fits_is_a_line_each_and_the_last_column_is_not_padded() -> None:
    assert in_columns(HEAD, ROWS, 80) == [
        "ID                TO               TRIES  WHY",
        "0MWQ000000000001  ann@example.com  1      full",
        "0MWQ000000000002  b@example.com    12",
    ]


def test_a_pipe_has_no_end() -> None:
    lines = in_columns(HEAD, (*ROWS, LONG), None)
    assert len(lines) == 4
    assert lines[3].split()[1:3] == [LONG[1], "3"]
    assert lines[3].endswith(LONG[3].rstrip())


def test_what_does_not_fit_has_its_last_cell_below_whole_and_the_widest_cut() -> None:
    lines = in_columns(HEAD, (*ROWS, LONG), 60)
    assert max(map(cell_len, lines)) <= 60
    assert lines[0].split() == ["ID", "TO", "TRIES"]
    assert lines[1].split() == ["0MWQ000000000001", "ann@example.com", "1"]
    assert lines[2] == "    full"
    assert lines[3].split() == ["0MWQ000000000002", "b@example.com", "12"]
    assert lines[4].split()[::2] == ["0MWQ000000000003", "3"]
    assert lines[4].split()[1].endswith("x…")
    assert " ".join(line.strip() for line in lines[5:]) == LONG[3].strip()


def test_letters_of_two_columns_are_counted_as_two() -> None:
    wide = ("0MWQ000000000004", "件" * 60, "1", "满" * 60)
    assert max(map(cell_len, in_columns(HEAD, (wide,), 80))) <= 80
    first, second = in_columns(("TO", "WHY"), (("件件件", "a"), ("bbbb", "c")), None)[1:]
    assert (first, second) == ("件件件  a", "bbbb    c")


def test_an_id_is_never_cut_however_narrow_the_terminal_is() -> None:
    assert LONG[0] in in_columns(HEAD, (LONG,), 20)[1]


def test_a_text_stands_beside_its_head_in_as_many_lines_as_it_takes() -> None:
    assert list(hanging("Subject  ", "one two three four", 20)) == ["Subject  one two", "         three four"]
    assert list(hanging("Subject  ", "one two three four", None)) == ["Subject  one two three four"]
    assert list(hanging("    ", "", 20)) == [""]


def test_a_narrow_terminal_gets_of_a_time_what_is_not_of_today() -> None:
    now = datetime(2026, 11, 22, 3, 30).astimezone()
    assert brief(now.replace(hour=23), now) == "23:30:00"
    assert brief(now - timedelta(hours=4), now) == "11-21 23:30"
    assert brief(now + timedelta(days=60), now) == "2027-01-21"
    assert brief(None, now) == ""
