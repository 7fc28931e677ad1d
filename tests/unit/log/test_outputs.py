"""Where lines go, and since when."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from emaild.log import events
from emaild.log.say import say
from emaild.log.setup import look_after, set_up
from emaild.log.thread import MOST, LogThread
from emaild.settings.log import LogSection, MessageFormat, Segment, Verbosity
from tests.clock import ManualClock
from tests.servers.wait import eventually

KINDS = ("debug", "trace", "interaction", "standard")


@pytest.fixture(autouse=True)
def quiet_end() -> Iterator[None]:
    """No test leaves a file or thread behind, nor finds the check point of another's clock."""
    structlog.reset_defaults()
    yield
    set_up(LogSection(), io.StringIO())


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def logs(folder: Path, **options: Any) -> None:
    """Set the log up; *files* are names in the folder, by option."""
    files = {name: (str(folder / file),) for name, file in options.pop("files", {}).items()}
    set_up(LogSection(**{"verbose": Verbosity.ALL, **files, **options}))


def say_all() -> None:
    for kind in KINDS:
        say("info", Verbosity(kind), 30100, kind)
    say("error", Verbosity.STANDARD, 30100, "alarm")


def named(content: str) -> list[str]:
    """The events of lines of JSON."""
    return [json.loads(line)["event"] for line in content.splitlines()]


def test_an_output_takes_its_level_and_what_is_more_important(tmp_path: Path) -> None:
    levels = ("all_", *KINDS, "alarm")
    logs(tmp_path, files={level: level for level in levels})
    say_all()
    heard = {level: named((tmp_path / level).read_text()) for level in levels}
    everything = [*KINDS, "alarm"]
    assert heard == {"all_": everything, **{level: everything[number:] for number, level in enumerate(everything)}}


def test_verbose_goes_before_the_outputs(tmp_path: Path) -> None:
    logs(tmp_path, files={"debug": "log"}, verbose=Verbosity.STANDARD)
    say_all()
    assert named((tmp_path / "log").read_text()) == ["standard", "alarm"]


def test_an_output_that_is_named_twice_gets_each_line_once(tmp_path: Path) -> None:
    logs(tmp_path, files={"trace": "log", "standard": "log"})
    say_all()
    assert named((tmp_path / "log").read_text()) == ["trace", "interaction", "standard", "alarm"]


@pytest.mark.parametrize("options", [{}, {"all_": ("network", "memory")}])
def test_where_no_output_is_named_all_goes_to_stderr(
    options: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs(tmp_path, **options)
    say_all()
    shown = capsys.readouterr()
    assert (named(shown.err), shown.out) == ([*KINDS, "alarm"], "")


def test_the_streams_of_the_process_are_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs(tmp_path, all_=("stdout",), standard=("stderr",), buffering=False)
    say_all()
    shown = capsys.readouterr()
    assert (named(shown.out), named(shown.err)) == ([*KINDS, "alarm"], ["standard", "alarm"])


def test_where_a_file_is_named_stderr_is_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs(tmp_path, files={"standard": "log"})
    say_all()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("buffering", [True, False])
def test_lines_to_stdout_may_wait_for_the_next_look(
    buffering: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        logs(tmp_path, all_=("stdout",), buffering=buffering)
        say_all()
        assert named((tmp_path / "out").read_text()) == ([] if buffering else [*KINDS, "alarm"])
        look_after(clock)
        assert named((tmp_path / "out").read_text()) == [*KINDS, "alarm"]


@pytest.mark.parametrize("form", ["short", "full", "shortcsv", "json"])
def test_under_the_journal_lines_of_every_format_have_their_priority(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "journal").open("w") as journal:
        status = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        monkeypatch.setattr(sys, "stderr", journal)
        logs(tmp_path, files={"all_": "log"}, alarm=("stderr",), message_format=MessageFormat(form))
        say_all()
    (line,) = (tmp_path / "journal").read_text().splitlines()
    assert line.startswith("<3>")
    assert line[3:] == (tmp_path / "log").read_text().splitlines()[-1]


def test_a_file_of_short_lines_begins_with_whose_they_are(tmp_path: Path) -> None:
    logs(tmp_path, files={"all_": "log"}, message_format=MessageFormat.SHORT)
    say_all()
    header, first, *_ = (tmp_path / "log").read_text().splitlines()
    assert header.startswith("Application emaild ")
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} Dbg 30100 debug", first)


def test_that_a_file_fails_is_said_on_stderr_once_and_wherever_else_lines_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs(tmp_path, files={"all_": "missing/log", "standard": "log"})
    say_all()
    assert named(capsys.readouterr().err) == ["log.file_failed"]
    assert named((tmp_path / "log").read_text()) == ["log.file_failed", "standard", "alarm"]
    (tmp_path / "missing").mkdir()
    say_all()
    assert capsys.readouterr().err == ""
    assert named((tmp_path / "missing/log").read_text())[:2] == ["debug", "log.file_recovered"]


def test_that_a_file_fails_is_said_on_stderr_once_where_lines_go_there_anyway(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs(tmp_path, files={"all_": "missing/log"}, standard=("stderr",))
    say_all()
    assert named(capsys.readouterr().err).count("log.file_failed") == 1


def open_files(folder: Path) -> set[str]:
    targets = (os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return {Path(target).name for target in targets if target.startswith(f"{folder}/")}


def test_a_change_of_outputs_counts_from_the_next_line_and_lets_go_of_the_others(tmp_path: Path) -> None:
    logs(tmp_path, files={"all_": "one", "standard": "two"})
    say_all()
    assert open_files(tmp_path) == {"one", "two"}
    logs(tmp_path, files={"standard": "two", "alarm": "three"}, message_format=MessageFormat.SHORTCSV)
    say_all()
    assert open_files(tmp_path) == {"two", "three"}
    assert len((tmp_path / "one").read_text().splitlines()) == 5
    assert [line[:1] for line in (tmp_path / "two").read_text().splitlines()[:2]] == ["{", "{"]
    assert (tmp_path / "two").read_text().splitlines()[2].endswith(",Std,30100,standard")


def test_a_command_logs_to_its_stream_alone(tmp_path: Path) -> None:
    out = io.StringIO()
    set_up(LogSection(all_=(str(tmp_path / "log"),), enable_thread=True), out)
    say_all()
    assert named(out.getvalue()) == ["trace", "interaction", "standard", "alarm"]
    assert not (tmp_path / "log").exists()


def test_a_check_point_is_made_every_so_many_hours_also_over_a_reload(tmp_path: Path, clock: ManualClock) -> None:
    for hours, minutes, made in ((2, 0, 0), (2, 119, 0), (2, 1, 1), (2, 119, 1), (1, 1, 2), (1, 59, 2), (1, 1, 3)):
        clock.advance(minutes * 60)
        logs(tmp_path, files={"standard": "log"}, check_point=hours)
        look_after(clock)
        look_after(clock)
        points = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()] if made else []
        assert [point["event"] for point in points] == ["log.check_point"] * made
    assert points[0]["time"] == "2026-03-02T11:30:00+00:00"


@pytest.mark.parametrize(("options", "named_file"), [({"check_point": 0}, True), ({}, False)])
def test_there_is_no_check_point_where_none_is_wanted_or_no_output_is_named(
    options: dict[str, Any], named_file: bool, tmp_path: Path, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    logs(tmp_path, files={"all_": "log"} if named_file else {}, **options)
    for _ in range(3):
        look_after(clock)
        clock.advance(timedelta(hours=25).total_seconds())
    assert capsys.readouterr().err == ""
    assert not (tmp_path / "log").exists()


def test_texts_of_a_message_file_stand_in_lines_of_genesys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "email.lms").write_text("LMS|1|2|3|4\n30104|STANDARD|IDLE|Nothing to do: %s\n")
    logs(tmp_path, messagefile=tmp_path / "email.lms", message_format=MessageFormat.SHORT)
    events.daemon_idle(message="rest")
    assert capsys.readouterr().err.endswith("Std 30104 Nothing to do: rest level=warning\n")


def test_a_message_file_that_cannot_be_read_is_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs(tmp_path, messagefile=tmp_path / "gone.lms", message_format=MessageFormat.SHORT)
    events.daemon_idle(message="rest")
    first, second = capsys.readouterr().err.splitlines()
    assert "log.texts_failed" in first
    assert "daemon.idle message=rest" in second


def test_lines_of_many_threads_are_all_there_over_segments(tmp_path: Path, hasty: None) -> None:
    logs(tmp_path, files={"all_": "log"}, segment=Segment(size=100 << 10), expire=None)

    def talk(name: int) -> None:
        for number in range(200):
            events.daemon_idle(message=f"{name}-{number}-" + "x" * 500)

    talkers = [threading.Thread(target=talk, args=(name,)) for name in range(8)]
    for talker in talkers:
        talker.start()
    for talker in talkers:
        talker.join()
    lines = [json.loads(line)["message"] for path in tmp_path.iterdir() for line in path.read_text().splitlines()]
    assert {message.rpartition("-")[0] for message in lines} == {f"{a}-{b}" for a in range(8) for b in range(200)}
    assert len(lines) == 1600
    assert len(list(tmp_path.iterdir())) > 8


def test_a_thread_of_its_own_writes_the_lines_in_their_order(tmp_path: Path) -> None:
    logs(tmp_path, files={"all_": "log"}, enable_thread=True)
    for number in range(100):
        events.daemon_idle(message=str(number))
    eventually(lambda: (tmp_path / "log").exists() and (tmp_path / "log").read_text().count("\n") == 100)
    lines = (tmp_path / "log").read_text().splitlines()
    assert [json.loads(line)["message"] for line in lines] == [str(number) for number in range(100)]
    assert "log" in {thread.name for thread in threading.enumerate()}
    logs(tmp_path, files={"all_": "log"})
    assert "log" not in {thread.name for thread in threading.enumerate()}


def test_a_change_of_settings_loses_no_line_of_the_thread(tmp_path: Path) -> None:
    logs(tmp_path, files={"all_": "one"}, enable_thread=True)
    for number in range(1000):
        events.daemon_idle(message=str(number))
    logs(tmp_path, files={"all_": "two"})
    assert len((tmp_path / "one").read_text().splitlines()) == 1000


def test_an_event_that_comes_after_the_end_of_the_thread_is_written_at_once() -> None:
    written: list[dict[str, Any]] = []
    thread = LogThread(written.append)
    thread.put({"event": "one"})
    thread.close()
    thread.put({"event": "two"})
    assert [event["event"] for event in written] == ["one", "two"]


def test_no_work_waits_for_a_log_that_hangs_and_what_it_loses_is_counted(tmp_path: Path) -> None:
    """A pipe without a reader takes nothing for as long as it has none."""
    os.mkfifo(tmp_path / "log")
    logs(tmp_path, files={"all_": "log"}, enable_thread=True)
    for number in range(MOST + 51):
        events.daemon_idle(message=str(number))
    with (tmp_path / "log").open() as end:
        lines = [json.loads(end.readline()) for _ in range(MOST + 2)]
    heard = [line["message"] for line in lines if line["event"] == "daemon.idle"]
    (lost,) = (line["count"] for line in lines if line["event"] == "log.lines_lost")
    assert heard == [str(number) for number in range(len(heard))]
    assert len(heard) + lost == MOST + 51


def process(folder: Path, options: str, *lines: str) -> None:
    """Let a process of its own log to a file there, and end."""
    program = [
        "from emaild.log import events",
        "from emaild.log.setup import set_up",
        "from emaild.settings.log import LogSection, Segment",
        f"section = LogSection(all_=({str(folder / 'log')!r},), {options})",
        *lines,
    ]
    subprocess.run([sys.executable, "-c", "\n".join(program)], check=True, timeout=60)


def test_the_thread_writes_what_waits_before_the_process_ends(tmp_path: Path) -> None:
    loop = "for number in range(3000): events.daemon_idle(message=str(number))"
    process(tmp_path, "enable_thread=True", "set_up(section)", loop)
    assert len((tmp_path / "log").read_text().splitlines()) == 3000


def test_the_first_segment_of_a_process_is_that_of_its_start(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("before\n")
    loop = "for number in range(3): set_up(section); events.daemon_idle(message=str(number))"
    process(tmp_path, "segment=Segment(size=100 << 10), keep_startup_file=100", loop)
    assert '"0"' in (tmp_path / "log.startup.log").read_text()
    assert len((tmp_path / "log").read_text().splitlines()) == 2
    (before,) = tmp_path.glob("log.2*.log")
    assert before.read_text() == "before\n"


def test_a_file_that_is_named_later_has_no_segment_of_the_start(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("before\n")
    options = "segment=Segment(size=100 << 10), keep_startup_file=100"
    process(tmp_path, options, "set_up(LogSection())", "set_up(section)", "events.daemon_idle(message='one')")
    assert len((tmp_path / "log").read_text().splitlines()) == 2
