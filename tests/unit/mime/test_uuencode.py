"""Files that stand uuencoded in a text."""

from __future__ import annotations

import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.mime.uuencode import extracted

CONTENT = bytes(range(256)) * 3


def encoded(content: bytes, name: str = "a b.bin", *, end: str = "`\nend") -> str:
    lines = [binascii.b2a_uu(content[at : at + 45]).decode().rstrip("\n") for at in range(0, len(content), 45)]
    return "\n".join([f"begin 644 {name}", *lines, end])


@given(st.binary(max_size=200))
def test_a_file_leaves_the_text(content: bytes) -> None:
    assert extracted(f"before\n{encoded(content)}\nafter") == ("before\nafter", [("a b.bin", content)])


def test_several_files_come_in_their_order() -> None:
    text = f"{encoded(b'1', 'one')}\nbetween\n{encoded(b'2', 'two')}"
    assert extracted(text) == ("between", [("one", b"1"), ("two", b"2")])


@pytest.mark.parametrize("end", ["`\nend", " \nend", "\nend", "`\nend  "])
def test_the_last_line_may_have_lost_its_blank(end: str) -> None:
    assert extracted(encoded(CONTENT, end=end)) == ("", [("a b.bin", CONTENT)])


def test_lines_may_end_in_cr_lf() -> None:
    text = f"before\n{encoded(CONTENT)}\nafter\n".replace("\n", "\r\n")
    assert extracted(text) == ("before\r\nafter\r\n", [("a b.bin", CONTENT)])


def test_blanks_may_have_been_lost_at_the_ends_of_lines() -> None:
    text = encoded(bytes(90)).replace("`", " ")
    assert extracted("\n".join(line.rstrip() or " " for line in text.split("\n")))[1] == [("a b.bin", bytes(90))]


def test_the_last_characters_may_be_filled_with_anything() -> None:
    assert extracted("begin 644 x\n!80AZ\n`\nend") == ("", [("x", b"a")])


@pytest.mark.parametrize(
    "text",
    [
        encoded(CONTENT, end="`"),
        encoded(CONTENT, end="end"),
        encoded(CONTENT, end=""),
        encoded(CONTENT).replace("begin 644", "begin"),
        encoded(CONTENT).replace("\nM", "\nno line of the kind\nM", 1),
        "begin 644 x\n#86)C\nyes\n`\nend",
        "begin 644 the meeting\nwithout me\nend",
        "begin 644 x",
        "end\n`\nbegin 644 \nend",
    ],
)
def test_what_is_broken_stays_text(text: str) -> None:
    assert extracted(f"before\n{text}\nafter") == (f"before\n{text}\nafter", [])


def test_the_files_of_a_text_are_bounded() -> None:
    text, files = extracted("\n".join([encoded(b"x")] * 150))
    assert (len(files), text.count("begin")) == (100, 50)


@pytest.mark.parametrize("lines", ["begin 644 x\n", "begin 644 x\n" + "M" * 61 + "\n", "begin 644 x\n`\nend\n", "`\n"])
def test_a_text_of_megabytes_takes_no_time(lines: str) -> None:
    """The test's time limit is the assertion: what takes the square of its length takes hours."""
    text = lines * (2_000_000 // len(lines))
    assert len(extracted(f"begin 644 x\n{text}")[0]) <= len(text) + 12
