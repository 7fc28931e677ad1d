"""Questions that are asked at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from emaild.net.race import Deadline
from emaild.provision.discover.found import Came
from emaild.provision.discover.parallel import Answer, Question, Round
from emaild.provision.discover.unfit import Unfit


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set when the test ends, so that nothing hangs longer."""
    event = threading.Event()
    yield event
    event.set()


def never() -> bool:
    return False


def test_question_that_never_ends_is_left_at_the_deadline(over: threading.Event) -> None:
    def hang(_: Deadline) -> Answer:
        over.wait(60)
        return Answer("too late")

    asked = Round([Question("1", "hangs", hang), Question("2", "ends", lambda _: Answer("here"))], Deadline(0.3))
    asked.wait(never)
    assert not over.is_set()
    assert [(one.came, one.text) for one in asked.steps(settled=False)] == [
        (Came.TIMED_OUT, "no answer in time"),
        (Came.FOUND, "here"),
    ]


def test_what_an_answer_asks_for_is_asked_too() -> None:
    more = Question("1", "more", lambda _: Answer("found by it"))
    asked = Round([Question("2", "first", lambda _: Answer("it", more=(more,)))], Deadline(20))
    asked.wait(never)
    assert [(one.number, one.text) for one in asked.steps(settled=False)] == [("1", "found by it"), ("2", "it")]


def test_questions_are_asked_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=20)

    def meet(_: Deadline) -> Answer:
        both.wait()
        return Answer("met")

    asked = Round([Question("1", "one", meet), Question("2", "other", meet)], Deadline(20))
    asked.wait(never)
    assert [one.text for one in asked.steps(settled=False)] == ["met", "met"]


def test_question_that_leads_nowhere_says_why() -> None:
    def fail(_: Deadline) -> Answer:
        raise Unfit(Came.REFUSED, "not for us")

    def late(_: Deadline) -> Answer:
        raise TimeoutError

    asked = Round([Question("1", "one", fail), Question("2", "other", late)], Deadline(20))
    asked.wait(never)
    assert [one.came for one in asked.steps(settled=False)] == [Came.REFUSED, Came.TIMED_OUT]


def test_question_that_fails_as_nobody_foresaw_is_not_waited_for() -> None:
    def break_down(_: Deadline) -> Answer:
        raise ZeroDivisionError

    asked = Round([Question("1", "one", break_down)], Deadline(20))
    asked.wait(never)
    assert [(one.came, one.text) for one in asked.steps(settled=False)] == [(Came.MALFORMED, "ZeroDivisionError")]
