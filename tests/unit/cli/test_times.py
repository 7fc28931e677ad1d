"""Times as people type them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.cli.times import moment_given


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def now() -> datetime:
    """In the afternoon after clocks went forward, at two o'clock."""
    return datetime(2026, 3, 29, 15, 30, 20, tzinfo=UTC).astimezone()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("now", "2026-03-29T17:30:20+02:00"),
        ("10:30", "2026-03-29T10:30:00+02:00"),
        ("9:05:07", "2026-03-29T09:05:07+02:00"),
        ("17:31", "2026-03-28T17:31:00+01:00"),
        ("01:30", "2026-03-29T01:30:00+01:00"),
        ("today", "2026-03-29T00:00:00+01:00"),
        ("yesterday", "2026-03-28T00:00:00+01:00"),
        ("yesterday 10:30", "2026-03-28T10:30:00+01:00"),
        ("today 23:00", "2026-03-29T23:00:00+02:00"),
        ("2026-11-21", "2026-11-21T00:00:00+01:00"),
        (" 2026-07-01  08:00 ", "2026-07-01T08:00:00+02:00"),
        ("2026-07-01T08:00:30", "2026-07-01T08:00:30+02:00"),
        ("2026-07-01T08:00:30Z", "2026-07-01T08:00:30+00:00"),
        ("2026-07-01T08:00:30.123+05:30", "2026-07-01T08:00:30.123000+05:30"),
        ("2h ago", "2026-03-29T15:30:20+02:00"),
        ("90 m", "2026-03-29T16:00:20+02:00"),
        ("30s", "2026-03-29T17:29:50+02:00"),
    ],
)
def test_a_time_is_read_in_the_local_zone(text: str, meant: str) -> None:
    assert moment_given(text, now()) == datetime.fromisoformat(meant)


def test_days_and_weeks_are_counted_back() -> None:
    assert moment_given("3d ago", now()) == now() - timedelta(days=3)
    assert moment_given("1w", now()) == now() - timedelta(weeks=1)


def test_a_day_counts_whole_where_it_ends_a_span() -> None:
    assert moment_given("yesterday", now(), end=True).isoformat() == "2026-03-29T00:00:00+01:00"
    assert moment_given("today", now(), end=True).isoformat() == "2026-03-30T00:00:00+02:00"
    assert moment_given("2026-11-21", now(), end=True).isoformat() == "2026-11-22T00:00:00+01:00"
    assert moment_given("yesterday 10:30", now(), end=True).isoformat() == "2026-03-28T10:30:00+01:00"


@pytest.mark.parametrize(
    "text",
    ["", " ", "tomorrow", "25:00", "10:60", "10", "2026-02-30", "21.11.2026", "-2h", "2y", "2h later", "999999w ago",
     "10:30 yesterday", "2026-11-21 10", "٢h", "2026-11-21Z", "9999-12-31T23:59:59+99:99"],
)  # fmt: skip
def test_anything_else_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected a time as 10:30"):
        moment_given(text, now())


TYPED = st.from_regex(r"[0-9]{1,6} ?[smhdw]( ago)?|[0-9-]{10}([ T][0-9:]{4,8})?Z?", fullmatch=True)


@given(st.text() | TYPED)
def test_any_text_is_a_time_with_a_zone_or_refused(text: str) -> None:
    for end in (False, True):
        try:
            assert moment_given(text, now(), end=end).tzinfo is not None
        except ValueError:
            continue
