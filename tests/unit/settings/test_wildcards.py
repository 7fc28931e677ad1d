"""Patterns with * and ?."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.settings.wildcards import LONGEST, fits


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("*", ""),
        ("*invoice*", "Your INVOICE of May"),
        ("re: *", "RE: hello"),
        ("order ?42", "Order #42"),
        ("*.example", "a.b.example"),
        ("a*b*c", "a b b c c"),
        ("*ab", "aab ab"),
        ("(a|b)[1]+.$", "(A|B)[1]+.$"),
        ("größe*", "GRÖßE 3"),
        ("*two*", "one\ntwo\nthree"),
    ],
)
def test_a_text_that_is_as_the_pattern_says_fits(pattern: str, text: str) -> None:
    assert fits(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("invoice", "an invoice"),
        ("invoice", "invoices"),
        ("?", ""),
        ("?", "ab"),
        ("a*b", "ab c"),
        ("a*a", "a"),
        ("*ab*ba*", "aba"),
        ("a.c", "abc"),
        ("[abc]", "a"),
    ],
)
def test_any_other_text_does_not(pattern: str, text: str) -> None:
    assert not fits(pattern, text)


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=12))
def test_patterns_mean_what_they_mean_to_a_shell(pattern: str, text: str) -> None:
    assert fits(pattern, text) is fnmatch.fnmatchcase(text, pattern)


def test_many_stars_cost_no_more_than_few() -> None:
    """A pattern that is tried again from every place would take until the end of the world."""
    assert not fits("*a" * 60 + "b", "a" * LONGEST)
    assert not fits("*a?" * 60 + "b", "a" * LONGEST)


def test_of_a_long_text_the_beginning_is_looked_at() -> None:
    assert fits("*end", "x" * (LONGEST - 3) + "end")
    assert not fits("*end", "x" * LONGEST + "end")
