"""When conf files are read again: once they lie still, and only if they differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.reloader import Reloader
from emaild.settings.load import current_digest
from tests.clock import ManualClock

QUIET = 1.0


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "emaild.conf"
    path.write_text("[log]\n")
    return path


def test_quiet_begins_anew_with_each_change(conf: Path, clock: ManualClock) -> None:
    reloader = Reloader(lambda: current_digest(conf), clock, QUIET, lambda: "")
    assert reloader.due_in() is None
    reloader.touch()
    clock.advance(0.75)
    assert reloader.due_in() == 0.25
    reloader.touch()
    assert reloader.due_in() == 1.0
    clock.advance(5)
    assert reloader.due_in() == 0


def test_what_is_asked_for_is_read_at_once_and_unchanged(conf: Path, clock: ManualClock) -> None:
    reloader = Reloader(lambda: current_digest(conf), clock, QUIET, lambda: current_digest(conf))
    reloader.ask()
    assert reloader.due_in() == 0
    assert reloader.wanted()
    assert reloader.due_in() is None
    reloader.touch()
    assert not reloader.wanted()


def test_what_was_refused_is_not_told_of_again_until_it_changes(conf: Path, clock: ManualClock) -> None:
    good = current_digest(conf)
    reloader = Reloader(lambda: current_digest(conf), clock, QUIET, lambda: good)
    conf.write_text("nonsense")
    assert reloader.wanted()
    reloader.refused()
    assert not reloader.wanted()
    conf.write_text("other nonsense")
    assert reloader.wanted()
    reloader.refused()
    conf.write_text("[log]\n")
    assert not reloader.wanted(), "what lies there again is what is in effect"


def test_what_was_refused_and_comes_back_after_something_good_is_told_of(conf: Path, clock: ManualClock) -> None:
    reloader = Reloader(lambda: current_digest(conf), clock, QUIET, lambda: "something else")
    assert reloader.wanted()
    reloader.refused()
    assert not reloader.wanted()
    reloader.accepted()
    assert reloader.wanted()


def test_what_is_mended_while_it_is_being_refused_is_read(conf: Path, clock: ManualClock) -> None:
    good = current_digest(conf)
    reloader = Reloader(lambda: current_digest(conf), clock, QUIET, lambda: good)
    conf.write_text("nonsense")
    assert reloader.wanted()
    conf.write_text("[log]\n# mended\n")
    reloader.refused()
    assert reloader.wanted()


def test_what_is_refused_although_it_was_asked_for_is_not_told_of_again(conf: Path, clock: ManualClock) -> None:
    reloader = Reloader(lambda: current_digest(conf), clock, QUIET, lambda: "before")
    reloader.ask()
    assert reloader.wanted()
    reloader.refused()
    reloader.touch()
    assert not reloader.wanted()


def test_a_file_that_is_gone_is_a_change(conf: Path, clock: ManualClock) -> None:
    before = current_digest(conf)
    reloader = Reloader(lambda: current_digest(conf), clock, QUIET, lambda: before)
    conf.unlink()
    assert reloader.wanted()
    reloader.refused()
    assert not reloader.wanted()
