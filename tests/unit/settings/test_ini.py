"""The walk over the lines of conf files: what is read, and each mistake in their form with its line."""

from __future__ import annotations

import configparser
import random
from pathlib import Path

import pytest

from emaild.settings.ini import RawSection, read

FILE = Path("/conf/emaild.conf")
OTHER = Path("/conf/conf.d/other.conf")


def sections(content: str | bytes) -> dict[str, dict[str, str]]:
    """What a file without mistakes holds."""
    found, faults = read([(FILE, content.encode() if isinstance(content, str) else content)])
    assert faults == []
    return {name: texts(section) for name, section in found.items()}


def texts(section: RawSection) -> dict[str, str]:
    return {option.name: option.text for option in section.options.values()}


def faults(content: str | bytes) -> list[str]:
    """The mistakes of a file, each as `line: what is wrong`."""
    _, found = read([(FILE, content.encode() if isinstance(content, str) else content)])
    return [str(fault).removeprefix(f"{FILE}:") for fault in found]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("a = b", "b"),
        ("a=b", "b"),
        ("a =\tb\t", "b"),
        ("a =", ""),
        ("a = ", ""),
        ("a = b = c", "b = c"),
        ("a == b", "= b"),
        ("a = b ; c", "b ; c"),
        ("a = b # c", "b # c"),
        ("a = # c", "# c"),
        ("a = %(b)s %", "%(b)s %"),
        ("a = ${b}", "${b}"),
        ("a = [b]", "[b]"),
        ("a = b: c", "b: c"),
        ("a = 'b'", "'b'"),
        ("a = \\", "\\"),
        ("a = Grüße 日本", "Grüße 日本"),
        ("a = b\u2028c\x0bd\x85e", "b\u2028c\x0bd\x85e"),
        ("a = rem", "rem"),
    ],
)
def test_a_value_is_everything_after_the_first_equals_sign(line: str, value: str) -> None:
    assert sections(f"[s]\n{line}\n") == {"s": {"a": value}}


@pytest.mark.parametrize("name", ["a b", "a:b", "a.b", "Änderung", "rem", "a-b_c", "a # b"])
def test_a_name_is_everything_before_it(name: str) -> None:
    assert sections(f"[s]\n{name} = 1\n") == {"s": {name: "1"}}


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert sections(b"\xef\xbb\xbf[s]\r\na = b\r\n") == {"s": {"a": "b"}}


def test_windows_line_ends_are_line_ends() -> None:
    assert sections("[s]\r\na = b\r\n\r\nc = \r\n# x\r\n") == {"s": {"a": "b", "c": ""}}


def test_a_last_line_needs_no_end() -> None:
    assert sections("[s]\na = b") == {"s": {"a": "b"}}


def test_comments_and_empty_lines_are_nothing() -> None:
    assert sections("; x\n# [t]\n\n  # indented\n\t;\n[s]\n#a = 1\na = 2\n   \n;b = 3\n") == {"s": {"a": "2"}}


def test_nothing_is_in_an_empty_file() -> None:
    assert sections("") == {}
    assert sections(b"\xef\xbb\xbf") == {}


def test_names_keep_their_case_and_sections_are_found_without_regard_to_it() -> None:
    found, _ = read([(FILE, b"[Pop-Client]\nServer = X\n")])
    assert found["pop-client"].name == "Pop-Client"
    assert texts(found["pop-client"]) == {"Server": "X"}


def test_a_section_that_stands_twice_is_merged() -> None:
    assert sections("[s]\na = 1\n[t]\nb = 2\n[S]\nc = 3\n") == {"s": {"a": "1", "c": "3"}, "t": {"b": "2"}}


def test_a_section_is_merged_over_files_and_each_option_knows_its_place() -> None:
    found, wrong = read([(FILE, b"[s]\na = 1\n"), (OTHER, b"\n[s]\nb = 2\n")])
    assert wrong == []
    assert str(found["s"].place) == f"{FILE}:1"
    assert [str(option.place) for option in found["s"].options.values()] == [f"{FILE}:2", f"{OTHER}:3"]


@pytest.mark.parametrize("again", ["a-b", "A-B", "a_b", "A_b"])
def test_an_option_that_stands_twice_is_refused_with_both_lines(again: str) -> None:
    (fault,) = faults(f"[s]\na-b = 1\n\n{again} = 2\n")
    assert fault == f"4: [s] {again}: it stands already at {FILE}:2; keep one of the two"


def test_an_option_that_stands_twice_over_merged_sections_and_files_is_refused_too() -> None:
    _, found = read([(FILE, b"[s]\na = 1\n[t]\n[s]\na = 2\n"), (OTHER, b"[s]\na = 3\n")])
    assert [str(fault.place) for fault in found] == [f"{FILE}:5", f"{OTHER}:2"]
    assert all(f"{FILE}:2" in fault.message for fault in found)


def test_default_is_refused_and_what_stands_in_it_leaks_nowhere() -> None:
    found, wrong = read([(FILE, b"[DEFAULT]\na = 1\n[s]\nb = 2\n[default]\n")])
    assert [(fault.place.line, fault.message.split(";")[0]) for fault in wrong] == [
        (1, "[DEFAULT] is not read"),
        (5, "[DEFAULT] is not read"),
    ]
    assert {name: texts(section) for name, section in found.items()} == {"s": {"b": "2"}}


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\x0b", "\u3000"])
def test_an_indented_line_is_refused_and_never_the_rest_of_the_one_above(blank: str) -> None:
    found, wrong = read([(FILE, f"[s]\na = 1\n{blank}b = 2\n{blank}[t]\nc = 3\n".encode())])
    assert [fault.place.line for fault in wrong] == [3, 4]
    assert all("indented" in fault.message for fault in wrong)
    assert texts(found["s"]) == {"a": "1", "c": "3"}


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\x1c"])
def test_an_indented_line_that_looks_like_header_and_option_is_refused(blank: str) -> None:
    (fault,) = faults(f"[s]\n{blank}[a] = 1\n")
    assert fault.startswith("2: [s] [a]: this line is indented")


@pytest.mark.parametrize("header", ["[", "[]", "[ ]", "[s", "[s] x", "[s]x]", "[[s]]", "[s] # comment"])
def test_a_header_that_is_none_is_refused_and_what_stands_below_it_skipped(header: str) -> None:
    found, wrong = read([(FILE, f"{header}\na = 1\n[t]\nb = 2\n".encode())])
    assert [str(fault.place) for fault in wrong] == [f"{FILE}:1"]
    assert wrong[0].message == f"expected a section header such as [pop-client], found {header!r}"
    assert {name: texts(section) for name, section in found.items()} == {"t": {"b": "2"}}


def test_blanks_in_a_header_do_not_count() -> None:
    assert sections("[ s ]  \na = 1\n") == {"s": {"a": "1"}}


def test_what_stands_above_the_first_section_is_refused() -> None:
    assert faults("a = 1\nnonsense\n[s]\n") == [
        "1: a: it stands above the first section header; a header such as [pop-client] comes first",
        "2: it stands above the first section header; a header such as [pop-client] comes first",
    ]


@pytest.mark.parametrize(
    ("line", "missing"),
    [("nonsense", "="), ("a: b", "="), ("= b", "option before the ="), ("=", "option before the =")],
)
def test_a_line_that_is_no_option_is_refused(line: str, missing: str) -> None:
    assert faults(f"[s]\na = 1\n{line}\n") == [f"3: [s]: expected 'option = value', found no {missing}"]


def test_a_nul_byte_is_refused_with_its_line() -> None:
    assert faults(b"[s]\na = 1\nb = \0\n") == ["3: a NUL byte is not text; save the file as UTF-8"]


@pytest.mark.parametrize(
    ("content", "line", "byte"),
    [
        (b"[s]\na = Gr\xfc\xdfe\n", 2, "fc"),
        (b"\xff\xfe[\0", 1, None),
        (b"\n\n\n[s]\r\n# \x80\n", 5, "80"),
        (b"[s]\na = \xed\xa0\x80\n", 2, "ed"),
        (b"[s]\na = \xc3", 2, "c3"),
    ],
)
def test_what_is_not_utf_8_is_refused_with_its_line(content: bytes, line: int, byte: str | None) -> None:
    if byte is None:
        assert faults(content) == [f"{line}: the file is UTF-16; save it as UTF-8"]
    else:
        assert faults(content) == [f"{line}: byte 0x{byte} is not UTF-8; save the file as UTF-8"]


def test_a_file_that_is_no_text_does_not_hide_the_mistakes_of_another() -> None:
    _, found = read([(FILE, b"\xff"), (OTHER, b"[s]\nnonsense\n")])
    assert [str(fault.place) for fault in found] == [f"{FILE}:1", f"{OTHER}:2"]


def test_a_line_of_a_megabyte_is_refused_in_few_words() -> None:
    (fault,) = faults("[s]\na = " + "x" * (1 << 20) + "\nb = 1\n")
    assert fault == f"2: [s]: a line of {4 + (1 << 20)} characters; at most 65536 are read"


def test_a_comment_of_a_megabyte_is_nothing() -> None:
    assert sections("#" + "x" * (1 << 20) + "\n[s]\na = 1\n") == {"s": {"a": "1"}}


def test_a_header_of_a_thousand_characters_is_refused_in_few_words() -> None:
    (fault,) = faults("[" + "x" * 1000 + "\n")
    assert len(fault) < 120


def test_the_longest_line_is_read() -> None:
    value = "x" * (65_536 - len("a = "))
    assert sections(f"[s]\na = {value}\n") == {"s": {"a": value}}


def test_values_are_what_the_standard_library_reads_from_all_lines_at_once() -> None:
    """`configparser` with `=` alone as delimiter, nothing interpolated and no comments inside."""
    letters = "ab=:#;[]%${}()/\"'\\\t \xa0\u2028\x85\x0b\x0c\rä\ufeff"
    chance = random.Random(9)
    lines = [f"n{number} = {''.join(chance.choices(letters, k=number % 9))}" for number in range(5000)]
    parser = configparser.RawConfigParser(
        delimiters=("=",), comment_prefixes=("#", ";"), inline_comment_prefixes=None, default_section=""
    )
    parser.read_string("\n".join(["[s]", *lines, ""]))
    assert sections("\n".join(["[s]", *lines, ""]).replace("\r\n", "\n"))["s"] == dict(parser["s"])
