"""How log lines look: for programs, for eyes, and for the journal."""

from __future__ import annotations

import inspect
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO, get_type_hints

import pytest

from emaild.log import events
from emaild.log.outputs import leads_to_journal
from emaild.log.say import say
from emaild.log.setup import set_up
from emaild.settings.log import LogSection, MessageFormat, Verbosity
from emaild.settings.secret import Secret
from tests.full_disk import no_more_bytes

JSON, TEXT, AUTOMATIC = MessageFormat.JSON, MessageFormat.TEXT, MessageFormat.AUTOMATIC

EVENTS = [
    function for _, function in inspect.getmembers(events, inspect.isfunction) if function.__module__ == events.__name__
]
VALUES = {str: "words, even 日本", int: 7, float: 1.25, bool: True, str | None: None}


def happen(event: Callable[..., None]) -> None:
    """Let that event happen, with values of the right kinds."""
    hints = get_type_hints(event)
    event(**{name: VALUES.get(hints[name], ["b", "a"]) for name in inspect.signature(event).parameters})


def fail() -> None:
    """A fault of ours, told with its traceback."""
    try:
        raise ZeroDivisionError("line one\nline two")
    except ZeroDivisionError:
        events.job_failed(job="pop-client")


def section(verbose: Verbosity, form: MessageFormat) -> LogSection:
    return LogSection(verbose=verbose, message_format=form)


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture(params=["pipe", "file"])
def journal(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    """A stream that $JOURNAL_STREAM names, as systemd sets it up (systemd.exec(5))."""
    if request.param == "pipe":
        reader, writer = os.pipe()
        stream = os.fdopen(writer, "w", encoding="utf-8")
        os.set_blocking(reader, False)
    else:
        reader = os.open(tmp_path / "journal", os.O_RDONLY | os.O_CREAT, 0o600)
        stream = (tmp_path / "journal").open("w", encoding="utf-8")
    status = os.fstat(stream.fileno())
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    stream.reader = reader  # type: ignore[attr-defined]
    yield stream
    stream.close()
    os.close(reader)


def read(journal: TextIO) -> list[str]:
    """The lines that the journal got."""
    content = os.read(journal.reader, 65536).decode()  # type: ignore[attr-defined]
    assert content.endswith("\n")
    return content.splitlines()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_an_event_is_one_line_of_json_with_what_matters_first(event: Callable[..., None], out: io.StringIO) -> None:
    set_up(section(Verbosity.ALL, JSON), out)
    happen(event)
    (line,) = out.getvalue().splitlines()
    said = json.loads(line)
    assert list(said)[:4] == ["timestamp", "level", "event", "code"]
    assert said["event"].replace(".", "_") == event.__name__
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", said["timestamp"])
    assert said["level"] in ("debug", "info", "warning", "error")
    assert isinstance(said["code"], int)
    assert "kind" not in said


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_an_event_can_be_read_by_eyes(event: Callable[..., None], out: io.StringIO) -> None:
    set_up(section(Verbosity.ALL, TEXT), out)
    happen(event)
    line = out.getvalue().splitlines()[0]
    assert re.match(r"\d{4}-\d\d-\d\dT\S+Z \[(debug|info|warning|error) *\] [a-z_]+\.[a-z_]+ ", line)
    assert "\x1b" not in line, "colours are for terminals"


def test_text_of_all_the_world_stays_readable(out: io.StringIO) -> None:
    set_up(section(Verbosity.ALL, JSON), out)
    events.daemon_idle(message="Grüße\n日本")
    assert '"message": "Grüße\\n日本"' in out.getvalue()


def test_a_fault_is_told_with_its_traceback(out: io.StringIO) -> None:
    set_up(section(Verbosity.ALL, JSON), out)
    fail()
    (line,) = out.getvalue().splitlines()
    said = json.loads(line)
    assert said["exception"].startswith("Traceback (most recent call last):\n")
    assert said["exception"].endswith("ZeroDivisionError: line one\nline two")


@pytest.mark.parametrize("form", [JSON, TEXT])
@pytest.mark.parametrize("wrapped", [lambda secret: secret, lambda secret: [secret], lambda secret: {"a": (secret,)}])
def test_a_secret_that_slips_in_is_masked(
    form: MessageFormat, wrapped: Callable[[Secret], Any], out: io.StringIO
) -> None:
    set_up(section(Verbosity.ALL, form), out)
    say("info", Verbosity.STANDARD, 30100, "daemon.started", leak=wrapped(Secret("hunter2")))
    assert "hunter2" not in out.getvalue()
    assert "***" in out.getvalue()


@pytest.mark.parametrize(
    ("verbose", "heard"),
    [
        ("all", ["standard", "interaction", "trace", "debug"]),
        ("debug", ["standard", "interaction", "trace", "debug"]),
        ("trace", ["standard", "interaction", "trace"]),
        ("interaction", ["standard", "interaction"]),
        ("standard", ["standard"]),
        ("none", []),
    ],
)
def test_only_what_is_important_enough_is_logged(verbose: str, heard: list[str], out: io.StringIO) -> None:
    set_up(section(Verbosity(verbose), JSON), out)
    for kind in ("standard", "interaction", "trace", "debug"):
        say("info", Verbosity(kind), 30100, kind)
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == heard


def test_a_change_of_settings_counts_from_the_next_line(out: io.StringIO) -> None:
    set_up(section(Verbosity.NONE, JSON), out)
    events.daemon_idle(message="unheard")
    set_up(section(Verbosity.STANDARD, TEXT), out)
    events.daemon_idle(message="heard")
    assert out.getvalue().count("\n") == 1
    assert out.getvalue().endswith("message=heard\n")


def test_in_a_pipe_lines_are_json_and_on_a_terminal_text() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as pipe, os.fdopen(reader) as end:
        set_up(section(Verbosity.ALL, AUTOMATIC), pipe)
        events.daemon_idle(message="x")
        assert json.loads(end.readline())["event"] == "daemon.idle"
    control, terminal = os.openpty()
    with os.fdopen(terminal, "w") as screen:
        set_up(section(Verbosity.ALL, AUTOMATIC), screen)
        events.daemon_idle(message="x")
        shown = os.read(control, 4096).decode()
    os.close(control)
    assert "\x1b[" in shown
    assert "daemon.idle" in shown
    assert not shown.startswith("{")


@pytest.mark.parametrize(
    ("level", "priority"), [("debug", 7), ("info", 6), ("warning", 4), ("error", 3), ("critical", 2)]
)
@pytest.mark.parametrize("form", [JSON, TEXT, AUTOMATIC])
def test_under_the_journal_a_line_begins_with_its_priority(
    journal: TextIO, form: MessageFormat, level: str, priority: int
) -> None:
    """sd-daemon(3): `journalctl -p err` works by these."""
    set_up(section(Verbosity.ALL, form), journal)
    say(level, Verbosity.STANDARD, 30100, "daemon.started", state="/x")
    (line,) = read(journal)
    assert line.startswith(f"<{priority}>")
    assert "daemon.started" in line
    if form is not TEXT:
        assert json.loads(line[3:])["level"] == level


def test_under_the_journal_each_line_of_a_traceback_has_its_priority(journal: TextIO) -> None:
    set_up(section(Verbosity.ALL, TEXT), journal)
    fail()
    lines = read(journal)
    assert len(lines) > 4
    assert all(line.startswith("<3>") for line in lines)
    assert "<3>ZeroDivisionError: line one" in lines
    assert "<3>line two" in lines


@pytest.mark.parametrize("given", ["", "1:2", "nonsense", None])
def test_elsewhere_lines_have_no_priority(given: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    if given is not None:
        monkeypatch.setenv("JOURNAL_STREAM", given)
    with (tmp_path / "log").open("w") as stream:
        assert not leads_to_journal(stream)
        set_up(section(Verbosity.ALL, JSON), stream)
        events.daemon_idle(message="x")
    assert (tmp_path / "log").read_text().startswith("{")


def test_what_is_no_file_does_not_lead_to_the_journal(out: io.StringIO) -> None:
    assert not leads_to_journal(out)


def test_a_log_that_cannot_be_written_ends_nothing_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        set_up(section(Verbosity.ALL, JSON), stream)
        with no_more_bytes():
            events.daemon_idle(message="lost")
            fail()
        events.daemon_idle(message="there is room")
    assert "there is room" in (tmp_path / "log").read_text()


def test_a_reader_of_the_log_that_is_gone_ends_nothing() -> None:
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w")
    set_up(section(Verbosity.ALL, JSON), stream)
    os.close(reader)
    events.daemon_idle(message="nobody reads this")
    with pytest.raises(BrokenPipeError):
        stream.close()
    events.daemon_idle(message="nor this")
