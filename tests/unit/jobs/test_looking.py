"""Looking at mails together or alone: a suspect has the process to itself, and nobody waits for ever."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager

import pytest

from emaild.jobs.looking import Looking
from tests.servers.wait import eventually


class Looker:
    """A thread that looks until it is told to end."""

    def __init__(self, way: AbstractContextManager[None]) -> None:
        self.inside = threading.Event()
        self._end = threading.Event()
        self._way = way
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._way:
            self.inside.set()
            self._end.wait()

    def end(self) -> None:
        self._end.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


@pytest.fixture
def looking() -> Looking:
    return Looking()


def waits(looker: Looker) -> bool:
    return not looker.inside.wait(0.1)


def test_many_look_together(looking: Looking) -> None:
    lookers = [Looker(looking.together()) for _ in range(3)]
    assert all(looker.inside.wait(10) for looker in lookers)
    for looker in lookers:
        looker.end()


def test_whoever_is_alone_waits_for_all_others_and_keeps_them_out(looking: Looking) -> None:
    first, second = Looker(looking.together()), Looker(looking.together())
    first.inside.wait(10)
    second.inside.wait(10)
    alone = Looker(looking.alone())
    assert waits(alone)
    first.end()
    assert waits(alone)
    second.end()
    eventually(alone.inside.is_set, within=10)
    other = Looker(looking.together())
    assert waits(other)
    alone.end()
    eventually(other.inside.is_set, within=10)
    other.end()


def test_whoever_wants_to_be_alone_comes_before_others_that_come_later(looking: Looking) -> None:
    first = Looker(looking.together())
    first.inside.wait(10)
    alone = Looker(looking.alone())
    assert waits(alone)
    later = Looker(looking.together())
    assert waits(later)
    first.end()
    eventually(alone.inside.is_set, within=10)
    assert waits(later)
    alone.end()
    eventually(later.inside.is_set, within=10)
    later.end()


def test_a_look_that_fails_lets_the_others_go_on(looking: Looking) -> None:
    for way in (looking.together, looking.alone):
        with pytest.raises(ValueError, match="bad mail"), way():
            raise ValueError("bad mail")
    with looking.alone(), looking.alone():
        pass
    with looking.together():
        pass
