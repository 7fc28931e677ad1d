"""Names of files as they may be used, whatever a mail says."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.mime.file_names import safe, unique


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("Grüße an alle.pdf", "Grüße an alle.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\a.txt", "a.txt"),
        ("\\\\host\\share\\a.txt", "a.txt"),
        ("folder/", "folder"),
        ("..", ""),
        ("/", ""),
        ("", ""),
        (".profile", "profile"),
        ("a.txt. . ", "a.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\u200bb\u2066c\x00d\x1be\x7f.txt", "abcde.txt"),
        ("a\tb\u2028c.txt", "ab c.txt"),
        ('the "final" <version>: a|b?.txt', 'the "final" <version>: a|b?.txt'),
        ("console.txt", "console.txt"),
        ("u\u0308.txt", "ü.txt"),
    ],
)
def test_a_name_is_no_path_and_shows_what_it_is(name: str, kept: str) -> None:
    assert safe(name) == kept


def test_a_long_name_keeps_its_suffix() -> None:
    assert safe("a" * 500 + ".pdf") == "a" * 116 + ".pdf"
    assert len(safe("日" * 500 + ".pdf").encode()) <= 240
    assert safe("日" * 500 + ".pdf").endswith("日.pdf")


@given(st.text(max_size=400))
def test_a_name_of_any_kind_may_be_used(name: str) -> None:
    kept = safe(name)
    assert len(kept.encode()) <= 255
    assert not set(kept) & set("/\\\0\n\r")
    assert not any(unicodedata.category(one) in ("Cc", "Cf") for one in kept)
    assert kept not in (".", "..")
    assert safe(kept) == kept


@given(st.lists(st.sampled_from(["a.txt", "A.TXT", "a (2).txt", "b", "b (2)", "c"]), max_size=30))
def test_no_two_names_are_the_same_in_whatever_case(names: list[str]) -> None:
    found = unique(names)
    assert len({one.casefold() for one in found}) == len(names)
    assert all(one == name or "(" in one for one, name in zip(found, names, strict=True))


def test_a_number_tells_two_of_one_name_apart() -> None:
    assert unique(["a.txt", "b", "a.txt", "a.txt", "b"]) == ["a.txt", "b", "a (2).txt", "a (3).txt", "b (2)"]


def test_many_of_one_name_take_no_time() -> None:
    assert len(set(unique(["a.txt"] * 100_000))) == 100_000
