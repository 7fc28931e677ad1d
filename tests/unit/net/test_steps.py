"""Steps are told in order, each once, with what was said of it."""

from __future__ import annotations

import threading

from emaild.net import steps
from emaild.net.steps import LONGEST, Step, StepState, heard


def told(*taken: Step) -> list[tuple[str, str, str]]:
    """Without their times."""
    return [(step.name, step.state.value, step.text) for step in taken]


def test_a_step_is_over_when_the_next_begins_and_what_is_said_is_of_the_step_of_now() -> None:
    found: list[Step] = []
    with heard(found.append) as way:
        steps.begin("name")
        steps.tell("localhost is ::1")
        assert found == []
        steps.begin("connect")
        steps.tell("::1: refused")
        steps.tell("to 127.0.0.1\r\n port 25")
        steps.skip("TLS", "none")
        steps.begin("greeting")
        way.fail("no answer in time", "try")
    assert told(*found) == [
        ("name", "ok", "localhost is ::1"),
        ("connect", "ok", "::1: refused; to 127.0.0.1 port 25"),
        ("TLS", "skipped", "none"),
        ("greeting", "failed", "no answer in time"),
    ]
    assert all(step.seconds >= 0 for step in found)


def test_a_reason_that_was_said_already_is_not_said_again_and_one_without_a_step_gets_one() -> None:
    found: list[Step] = []
    with heard(found.append) as way:
        steps.begin("connect")
        steps.tell("127.0.0.1: Connection refused")
        way.fail("Connection refused", "try")
        way.fail("the account has its connections already", "connect")
    assert told(*found) == [
        ("connect", "failed", "127.0.0.1: Connection refused"),
        ("connect", "failed", "the account has its connections already"),
    ]


def test_what_was_told_before_is_told_once_unless_it_failed() -> None:
    found: list[Step] = []
    with heard(found.append) as way:
        for _ in range(2):
            steps.begin("token")
            steps.tell("for ann")
            steps.begin("sign-in")
            way.fail("no", "try")
    assert [name for name, *_ in told(*found)] == ["token", "sign-in", "sign-in"]


def test_what_happens_inside_one_step_is_not_told_by_itself() -> None:
    found: list[Step] = []
    with heard(found.append) as way:
        with steps.together("token"):
            steps.begin("name")
            assert not steps.is_heard()
        steps.tell("until noon")
        way.end()
    assert told(*found) == [("token", "ok", "until noon")]


def test_a_thread_hears_its_own_steps_alone() -> None:
    found: list[Step] = []
    with heard(found.append):
        other = threading.Thread(target=lambda: [step("x") for step in (steps.begin, steps.tell, steps.begin)])
        other.start()
        other.join()
    assert found == []
    steps.begin("name")
    steps.tell("nobody listens")
    assert steps.now() == ""


def test_what_a_server_says_at_length_is_cut() -> None:
    found: list[Step] = []
    with heard(found.append) as way:
        steps.begin("greeting")
        steps.tell("x" * 10 * LONGEST)
        way.end(StepState.OK)
    assert len(found[0].text) == LONGEST
