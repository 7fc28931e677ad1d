"""Names of files as they may be used, whatever a mail says."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.mime.file_names import safe


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
        (".profile", ".profile"),
        ("a.txt. ", "a.txt."),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("ab\u2066c\x00d\x1be\x7f.txt", "abcde.txt"),
        ("a\tb\u2028c.txt", "a b c.txt"),
        ('the "final" <version>: a|b?.txt', 'the "final" <version>: a|b?.txt'),
        ("console.txt", "console.txt"),
        ("u\u0308.txt", "u\u0308.txt"),
        ("\u200d.png", "\u200d.png"),
    ],
)
def test_a_name_is_no_path_and_shows_what_it_is(name: str, kept: str) -> None:
    assert safe(name) == kept


def test_a_long_name_keeps_its_suffix() -> None:
    assert safe("a" * 500 + ".pdf") == "a" * 251 + ".pdf"


@given(st.text(max_size=400))
def test_a_name_of_any_kind_may_be_used(name: str) -> None:
    kept = safe(name)
    assert len(kept) <= 255
    kept.encode()
    assert not set(kept) & set("/\\\0\n\r")
    assert not any(unicodedata.category(one) in ("Cc", "Cs") for one in kept)
    assert kept not in (".", "..")
    assert safe(kept) == kept
