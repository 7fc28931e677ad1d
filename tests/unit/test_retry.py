"""How long to wait before the next try."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emaild.retry import Backoff

seconds = st.floats(min_value=0.001, max_value=1e6)


@given(seconds, seconds, st.floats(min_value=0, max_value=0.9), st.integers(min_value=1, max_value=33))
def test_a_wait_is_the_doubled_one_give_or_take_its_spread_and_never_longer_than_the_longest(
    first: float, maximum: float, spread: float, failures: int
) -> None:
    wait = Backoff(first=first, maximum=maximum, spread=spread).delay(failures)
    doubled = first * 2.0 ** (failures - 1)
    assert wait <= maximum
    assert wait >= min(maximum, doubled * (1 - spread) * 0.999)
    assert wait <= doubled * (1 + spread) * 1.001


def test_without_spread_waits_double_up_to_the_longest() -> None:
    backoff = Backoff(first=1, maximum=10, spread=0)
    assert [backoff.delay(failures) for failures in range(1, 7)] == [1, 2, 4, 8, 10, 10]


def test_what_failed_in_the_same_second_does_not_come_back_in_the_same_second() -> None:
    backoff = Backoff(first=100, maximum=1000)
    assert len({backoff.delay(1) for _ in range(100)}) > 90


def test_a_million_failures_are_no_trouble() -> None:
    assert Backoff(first=5, maximum=900).delay(1_000_000) == 900
