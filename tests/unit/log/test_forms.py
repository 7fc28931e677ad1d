"""Lines in Genesys's formats."""

from __future__ import annotations

import csv
import io
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emaild import __version__
from emaild.log.forms import form_of, header_of
from emaild.log.say import say
from emaild.log.setup import set_up
from emaild.settings.log import LogSection, MessageFormat, TimeConvert, TimeFormat, Verbosity
from emaild.settings.secret import Secret

STAMP = "2002-05-07T18:15:33.952871Z"
GENESYS = [form for form in MessageFormat if form not in ("automatic", "json", "text", "custom")]


@pytest.fixture(autouse=True)
def east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two hours east of Greenwich."""
    monkeypatch.setenv("TZ", "XYZ-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def line(
    form: str, texts: dict[int, str] | None = None, /, *, level: str = "info", kind: str = "standard", **given: Any
) -> str:
    """One event in that format; fields of the event are what is no option."""
    options = {name: given.pop(name) for name in list(given) if name in LogSection.__dataclass_fields__}
    section = LogSection(**{"message_format": MessageFormat(form), "time_format": TimeFormat.ISO8601, **options})
    event = {"timestamp": STAMP, "level": level, "event": "app.started", "kind": Verbosity(kind), "code": 5060}
    return form_of(section, texts or {}, terminal=False)({**event, **given})


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("short", "2002-05-07T20:15:33.952 Std 05060 app.started"),
        ("medium", "2002-05-07T20:15:33.952 Standard GCTI-00-05060 app.started"),
        ("full", f"2002-05-07T20:15:33.952 Standard {socket.gethostname()} emaild GCTI-00-05060 app.started"),
        ("shortcsv", "2002-05-07T20:15:33.952,Std,05060,app.started"),
        ("shorttsv", "2002-05-07T20:15:33.952\tStd\t05060\tapp.started"),
        ("shortdsv", "2002-05-07T20:15:33.952|Std|05060|app.started"),
    ],
)
def test_a_line_has_the_shape_of_its_format(form: str, shown: str) -> None:
    assert line(form) == shown


@pytest.mark.parametrize(
    ("kind", "short", "full"),
    [
        ("standard", "Std", "Standard"),
        ("interaction", "Int", "Interaction"),
        ("trace", "Trc", "Trace"),
        ("debug", "Dbg", "Debug"),
    ],
)
def test_a_level_is_cut_short_in_short_formats(kind: str, short: str, full: str) -> None:
    assert line("short", kind=kind).split()[1] == line("shortcsv", kind=kind).split(",")[1] == short
    assert line("full", kind=kind).split()[1] == line("medium", kind=kind).split()[1] == full


def test_fields_stand_behind_the_text_and_each_value_is_one_word() -> None:
    shown = line(
        "short", level="warning", count=3, name="a", words='b "c"\nd', none=None, list=["x", Secret("hunter2")]
    )
    assert shown.partition("app.started ")[2] == (
        'count=3 name=a words="b \\"c\\"\\nd" none=None list=["x", "***"] level=warning'
    )


def test_columns_are_kept_apart_by_quotes() -> None:
    given = {"path": "/a,b|c", "words": 'two "words"'}
    for form, between in (("shortcsv", ","), ("shorttsv", "\t"), ("shortdsv", "|")):
        (row,) = csv.reader(io.StringIO(line(form, **given)), delimiter=between)
        assert row[1:] == ["Std", "05060", 'app.started path=/a,b|c words="two \\"words\\""']


def test_the_delimiter_of_shortdsv_can_be_chosen() -> None:
    assert line("shortdsv", message_header_delimiter=";").count(";") == 3


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"custom_message_format": "[%i] %m"}, "2002-05-07T20:15:33.952 Std [05060] app.started n=1"),
        ({"custom_message_format": "%c%%%n"}, "2002-05-07T20:15:33.952 Std app.started%"),
        (
            {"output_pattern": "%p %d: %c", "custom_message_format": "unused"},
            "Std 2002-05-07T20:15:33.952: app.started",
        ),
    ],
)
def test_a_line_can_be_made_by_a_pattern(options: dict[str, str], shown: str) -> None:
    assert line("custom", n=1, **options) == shown


@pytest.mark.parametrize(
    ("form", "zone", "shown"),
    [
        ("time", "local", "20:15:33.952"),
        ("time", "utc", "18:15:33.952"),
        ("iso8601", "local", "2002-05-07T20:15:33.952"),
        ("iso8601", "utc", "2002-05-07T18:15:33.952"),
    ],
)
def test_the_time_is_shown_as_wanted(form: str, zone: str, shown: str) -> None:
    said = line("short", time_format=TimeFormat(form), time_convert=TimeConvert(zone))
    assert said == f"{shown} Std 05060 app.started"


def test_the_time_in_the_systems_locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    assert line("short", time_format=TimeFormat.LOCALE).startswith("Tue May  7 20:15:33 2002 Std")
    if shutil.which("localedef") is None or not Path("/usr/share/i18n/locales/de_DE").exists():
        pytest.skip("the package locales is not installed")
    subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", str(tmp_path / "de_DE.UTF-8")], check=True)
    monkeypatch.setenv("LOCPATH", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert line("short", time_format=TimeFormat.LOCALE).startswith("Di 07 Mai 2002 20:15:33")
    assert time.strftime("%a", (2002, 5, 7, 0, 0, 0, 1, 0, 0)) == "Tue", "the process stays in English"


def test_a_locale_that_is_not_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
    assert line("short", time_format=TimeFormat.LOCALE).startswith("Tue May  7 20:15:33 2002 Std")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Application started", "Application started a=1 b=two"),
        ("%s of %s", "1 of two"),
        ("%s started", "1 started b=two"),
        ("%ld%% %lu %s %d", "1% two"),
        ("100 %", "100 % a=1 b=two"),
    ],
)
def test_a_text_of_the_message_file_takes_the_place_of_the_name(text: str, shown: str) -> None:
    said = line("short", {5060: text}, a=1, b="two")
    assert said.removeprefix("2002-05-07T20:15:33.952 Std 05060 ").rstrip() == shown


def test_only_files_of_short_lines_need_a_header() -> None:
    for form in MessageFormat:
        header = header_of(LogSection(message_format=form))
        assert bool(header) is (form is MessageFormat.SHORT)
    assert f"emaild {__version__}, host {socket.gethostname()}" in header_of(
        LogSection(message_format=MessageFormat.SHORT)
    )


@pytest.mark.parametrize("form", GENESYS)
@pytest.mark.parametrize("wrapped", [lambda secret: secret, lambda secret: [secret], lambda secret: {"a": (secret,)}])
def test_a_secret_that_slips_in_is_masked(form: MessageFormat, wrapped: Any) -> None:
    out = io.StringIO()
    set_up(LogSection(message_format=form), out)
    say("info", Verbosity.STANDARD, 5060, "app.started", leak=wrapped(Secret("hunter2")))
    assert "hunter2" not in out.getvalue()
    assert "***" in out.getvalue()


@pytest.mark.parametrize("form", GENESYS)
def test_a_traceback_is_part_of_its_line(form: MessageFormat) -> None:
    out = io.StringIO()
    set_up(LogSection(message_format=form), out)
    try:
        raise ZeroDivisionError("one\ntwo")
    except ZeroDivisionError:
        say("error", Verbosity.STANDARD, 30105, "job.failed", exc_info=True)
    (said,) = out.getvalue().splitlines()
    assert "ZeroDivisionError: one\\ntwo" in said.replace('\\""', '"')
