"""Log files: their segments, what becomes of old ones, and disks that do not take them."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emaild.log.files import LogFile
from emaild.settings.log import Expire, LogSection, Segment
from tests.clock import START
from tests.full_disk import no_more_bytes
from tests.said import Said

LINE = "x" * 1023  # with its end a kilobyte
HUNDRED_KB = Segment(size=100 << 10)


class Log:
    """A file that lines are written to at times of a test's choice."""

    def __init__(
        self, folder: Path, *, name: str = "emaild.log", startup: bool = False, header: str = "", **options: Any
    ) -> None:
        self.path = folder / name
        self.file = LogFile(self.path, startup=startup)
        self.now = START
        self.follow(header, **options)

    def follow(self, header: str = "", **options: Any) -> None:
        self.file.follow(LogSection(**options), header)

    def write(self, *lines: str, after: timedelta = timedelta(0)) -> None:
        """Write lines, and tell what follows from that."""
        self.now += after
        for line in lines:
            told = self.file.write(line, "info", self.now)
            if told is not None:
                told()

    @property
    def lines(self) -> list[str]:
        return self.path.read_text().splitlines()

    def others(self) -> list[str]:
        """What else lies there, without the name that they have in common."""
        return sorted(path.name.removeprefix("emaild.log") for path in self.path.parent.iterdir() if path != self.path)


def test_lines_are_appended_to_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "emaild.log").write_text("before\n")
    log = Log(tmp_path)
    log.write("one", "Grüße\ud800")
    assert log.lines == ["before", "one", "Grüße?"]
    assert log.others() == []


def test_a_file_is_not_for_everybody(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.write("one")
    assert log.path.stat().st_mode & 0o7 == 0


def test_a_segment_that_is_full_gets_the_time_of_its_end(tmp_path: Path) -> None:
    log = Log(tmp_path, segment=HUNDRED_KB)
    log.write(*[LINE] * 100)
    assert log.others() == []
    log.write("next", after=timedelta(seconds=1, microseconds=987654))
    assert log.lines == ["next"]
    assert log.others() == [".20260302_093001_987.log"]
    assert (tmp_path / "emaild.log.20260302_093001_987.log").stat().st_size == 100 << 10


def test_two_segments_that_end_at_once_are_both_kept(tmp_path: Path) -> None:
    log = Log(tmp_path, segment=HUNDRED_KB)
    log.write(*[LINE] * 201)
    assert log.others() == [".20260302_093000_000.log", ".20260302_093000_001.log"]


def test_without_segments_a_file_grows(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.write(*[LINE] * 201)
    log.write("next", after=timedelta(days=400))
    assert (len(log.lines), log.others()) == (202, [])


def test_a_segment_may_end_with_the_hours_of_the_clock(tmp_path: Path) -> None:
    log = Log(tmp_path, segment=Segment(hours=2))
    log.write("9:30")
    log.write("9:59", after=timedelta(minutes=29))
    assert log.others() == []
    log.write("10:00", after=timedelta(minutes=1))
    assert log.lines == ["10:00"]
    assert log.others() == [".20260302_100000_000.log"]


@pytest.mark.parametrize(("ago", "ended"), [(timedelta(minutes=40), False), (timedelta(hours=9), True)])
def test_the_hours_of_a_segment_go_on_over_a_restart(tmp_path: Path, ago: timedelta, ended: bool) -> None:
    (tmp_path / "emaild.log").write_text("before\n")
    written = (START - ago).timestamp()
    os.utime(tmp_path / "emaild.log", (written, written))
    log = Log(tmp_path, segment=Segment(hours=2))
    log.write("9:30")
    assert log.lines == (["9:30"] if ended else ["before", "9:30"])


def test_each_segment_begins_with_its_header(tmp_path: Path) -> None:
    log = Log(tmp_path, segment=HUNDRED_KB, header="whose it is")
    log.write(*[LINE] * 100, "next", "more")
    assert log.lines == ["whose it is", "next", "more"]


def aged(folder: Path, *days: int) -> None:
    """Segments that ended so many days ago, and files that are none."""
    for number in days:
        (folder / f"emaild.log.{START - timedelta(days=number):%Y%m%d_%H%M%S}_000.log").write_text("old")
    for name in ("emaild.log.bak", "other.log.20200101_000000_000.log", "emaild.log.20200101_000000_000.log.gz"):
        (folder / name).write_text("not mine")


@pytest.mark.parametrize(
    ("expire", "kept"),
    [
        (None, [1, 5, 30]),
        (Expire(files=3), [1, 5]),
        (Expire(files=1), []),
        (Expire(files=1000), [1, 5, 30]),
        (Expire(days=5), [1, 5]),
        (Expire(days=4), [1]),
    ],
)
def test_of_segments_the_youngest_are_kept(tmp_path: Path, expire: Expire | None, kept: list[int]) -> None:
    aged(tmp_path, 1, 5, 30)
    log = Log(tmp_path, expire=expire)
    log.write("one")
    segments = [name for name in log.others() if name.startswith(".2026") and not name.endswith("gz")]
    assert segments == sorted(f".{START - timedelta(days=number):%Y%m%d_%H%M%S}_000.log" for number in kept)
    assert len(log.others()) == len(kept) + 3


def test_segments_expire_when_one_ends_and_when_a_day_has_passed(tmp_path: Path) -> None:
    log = Log(tmp_path, segment=HUNDRED_KB, expire=Expire(files=2))
    for _ in range(4):
        log.write(*[LINE] * 100, after=timedelta(seconds=1))
    assert log.others() == [".20260302_093004_000.log"]
    log.follow(expire=Expire(days=1))
    log.write("later", after=timedelta(hours=23))
    assert len(log.others()) == 1
    log.write("later", after=timedelta(hours=24))
    assert log.others() == []


@pytest.mark.parametrize(("keep", "size"), [(0, 100), (50 << 10, 50), (200 << 10, 200)])
def test_the_first_segment_after_the_start_may_be_kept(tmp_path: Path, keep: int, size: int) -> None:
    (tmp_path / "emaild.log").write_text("before\n")
    (tmp_path / "emaild.log.startup.log").write_text("of the start before")
    log = Log(tmp_path, startup=True, segment=HUNDRED_KB, keep_startup_file=keep, expire=Expire(files=2))
    log.write(*[LINE] * size)
    for _ in range(3):
        log.write(*[LINE] * 100, after=timedelta(seconds=1))
    assert log.others() == [".20260302_093003_000.log", ".startup.log"]
    assert (tmp_path / "emaild.log.startup.log").stat().st_size == size << 10
    assert len(log.lines) == 100


@pytest.mark.parametrize("options", [{}, {"segment": HUNDRED_KB}, {"keep_startup_file": 0}])
def test_a_start_changes_nothing_where_its_segment_is_not_kept(tmp_path: Path, options: dict[str, Any]) -> None:
    (tmp_path / "emaild.log").write_text("before\n")
    log = Log(tmp_path, startup=True, **options)
    log.write("one")
    assert (log.lines, log.others()) == (["before", "one"], [])


@pytest.mark.parametrize("gone", ["moved", "removed"])
def test_a_file_that_somebody_took_away_is_begun_anew(tmp_path: Path, gone: str) -> None:
    log = Log(tmp_path)
    log.write("one")
    if gone == "moved":
        log.path.rename(tmp_path / "emaild.log.1")
    else:
        log.path.unlink()
    log.write("two")
    assert log.lines == ["two"]


def test_a_folder_that_is_missing_is_told_once_and_tried_again(tmp_path: Path, said: Said) -> None:
    log = Log(tmp_path / "later")
    log.write("lost", "lost")
    assert said.names == ["log.file_failed"]
    assert said.one("log.file_failed")["reason"] == "No such file or directory"
    (tmp_path / "later").mkdir()
    log.write("one", "two")
    assert log.lines == ["one", "two"]
    assert said.names == ["log.file_failed", "log.file_recovered"]
    assert said.one("log.file_recovered")["lost"] == 2
    (tmp_path / "later/emaild.log").unlink()
    (tmp_path / "later").rmdir()
    log.write("lost")
    assert said.names == ["log.file_failed", "log.file_recovered", "log.file_failed"]


def test_a_full_disk_cuts_no_line_into_another(tmp_path: Path, said: Said) -> None:
    log = Log(tmp_path)
    log.write("one")
    with no_more_bytes():
        log.write("lost")
    with no_more_bytes(log.path.stat().st_size + 3):
        log.write("cut off")
    log.write("two")
    assert log.lines == ["one", "cut", "two"]
    assert [event["event"] for event in said.events] == ["log.file_failed", "log.file_recovered"]


def test_a_segment_that_cannot_end_grows_and_is_told_of_once(tmp_path: Path, said: Said) -> None:
    log = Log(tmp_path, name="x" * 250, segment=HUNDRED_KB)
    log.write(*[LINE] * 100, "more", "more")
    assert log.lines[100:] == ["more", "more"]
    assert said.one("log.file_failed")["reason"] == "File name too long"
    log.follow()
    log.write("more")
    assert said.one("log.file_recovered")["lost"] == 0
