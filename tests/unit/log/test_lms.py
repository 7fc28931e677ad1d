"""Genesys's files of texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.log.lms import texts_of


def texts(folder: Path, *lines: str) -> dict[int, str]:
    (folder / "email.lms").write_text("\n".join(lines), encoding="utf-8")
    return texts_of(folder / "email.lms")


def test_rows_are_read_and_the_header_is_none(tmp_path: Path) -> None:
    found = texts(
        tmp_path,
        "; a comment",
        "",
        "10|8.5|EmailServer|email|1",
        "05060|STANDARD|GCTI_APP_STARTED|Application started",
        "30001 | TRACE | X | %s | and more ",
    )
    assert found == {5060: "Application started", 30001: "%s | and more"}


@pytest.mark.parametrize(
    "row",
    ["", "text", "30002|TRACE|NAME", "x|TRACE|NAME|text", "-1|TRACE|NAME|text", "9" * 5000 + "|T|N|t", ";1|T|N|t"],
)
def test_what_is_no_row_is_passed_over(tmp_path: Path, row: str) -> None:
    assert texts(tmp_path, "1|T|N|one", row, "2|T|N|two") == {1: "one", 2: "two"}


def test_the_first_row_of_a_number_counts(tmp_path: Path) -> None:
    assert texts(tmp_path, "1|T|N|one", "01|T|N|two") == {1: "one"}


def test_a_row_at_the_top_with_an_empty_field_is_no_header(tmp_path: Path) -> None:
    assert texts(tmp_path, "1|T|N||one") == {1: "|one"}


def test_bytes_of_any_kind_are_read(tmp_path: Path) -> None:
    (tmp_path / "email.lms").write_bytes(b"\xef\xbb\xbf1|T|N|one\r\n2|T|N|\xff\x00\r\n")
    assert texts_of(tmp_path / "email.lms")[1] == "one"
