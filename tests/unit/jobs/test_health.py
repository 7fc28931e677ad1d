"""Failures in a row: how long to wait, and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest

from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.jobs.health import Health
from emaild.retry import Backoff


class Told:
    """What was said, as a reader of the log sees it."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def failed(self, *, section: str, action: str, reason: str, temporary: bool, retry_in: float) -> None:
        self.lines.append(("failed", {"section": section, "action": action, "reason": reason, "temporary": temporary}))

    def recovered(self, *, section: str, failures: int) -> None:
        self.lines.append(("recovered", {"section": section, "failures": failures}))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def health(told: Told) -> Health:
    return Health("pop-client", Backoff(first=10, maximum=100, spread=0), told.failed, told.recovered)


def test_waits_grow_with_the_failures_and_begin_anew_when_it_works(health: Health) -> None:
    error = Unreachable("host", "connect", "refused")
    assert [health.failed(error) for _ in range(6)] == [10, 20, 40, 80, 100, 100]
    health.worked()
    assert health.failed(error) == 10


def test_a_failure_is_told_once_and_its_end_once(health: Health, told: Told) -> None:
    for number in range(3):
        health.failed(Unreachable("host", "connect", f"refused (session {number})"))
    health.worked()
    health.worked()
    assert told.lines == [
        (
            "failed",
            {"section": "pop-client", "action": "connect", "reason": "refused (session 0)", "temporary": True},
        ),
        ("recovered", {"section": "pop-client", "failures": 3}),
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Unreachable("h", "connect", "x"), Rejected("h", "connect", "x")),
        (Busy("h", "sign in", "x"), Busy("h", "list", "x")),
    ],
)
def test_another_kind_of_failure_is_told(health: Health, told: Told, first: RemoteError, second: RemoteError) -> None:
    for error in (first, second, second, first):
        health.failed(error)
    assert [kind for kind, _ in told.lines] == ["failed"] * 3


def test_the_same_failure_after_it_worked_is_told_again(health: Health, told: Told) -> None:
    error = Rejected("host", "sign in", "wrong password")
    health.failed(error)
    health.worked()
    health.failed(error)
    assert [kind for kind, _ in told.lines] == ["failed", "recovered", "failed"]
    assert not told.lines[0][1]["temporary"]


def test_what_always_worked_is_not_told(health: Health, told: Told) -> None:
    health.worked()
    assert told.lines == []
    assert health.last_error is None


def test_the_last_error_is_in_words(health: Health) -> None:
    health.failed(Rejected("host", "sign in", "wrong password"))
    assert (health.last_error, health.failures) == ("sign in: wrong password", 1)


def test_server_that_asks_for_patience_gets_it(health: Health) -> None:
    assert health.failed(Busy("host", "fetch", "throttled", 42.0)) == 42
    assert health.failed(Busy("host", "fetch", "throttled", 5.0)) == 20
