"""What [log] may say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emaild.settings.log import Expire, LogSection, MessageFormat, Segment, TimeConvert, TimeFormat, Verbosity
from tests.conf_files import ConfFiles


def section(conf: ConfFiles, *lines: str) -> LogSection:
    return conf.load("\n".join(["[log]", *lines])).log


def test_what_is_not_given_is_as_genesys_has_it(conf: ConfFiles) -> None:
    found = section(conf)
    assert found == LogSection()
    assert (found.verbose, found.message_format) == (Verbosity.TRACE, MessageFormat.AUTOMATIC)
    assert (found.time_format, found.time_convert) == (TimeFormat.TIME, TimeConvert.LOCAL)
    assert (found.segment, found.expire, found.keep_startup_file) == (None, Expire(files=10), None)
    assert (found.buffering, found.check_point, found.enable_thread, found.messagefile) == (True, 1, False, None)
    assert found.message_header_delimiter == "|"
    assert found.outputs == {}


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("segment = false", "segment", None),
        ("segment = 100", "segment", Segment(size=100 << 10)),
        ("segment = 1000KB", "segment", Segment(size=1000 << 10)),
        ("segment = 10 mb", "segment", Segment(size=10 << 20)),
        ("segment = 24 hr", "segment", Segment(hours=24)),
        ("expire = false", "expire", None),
        ("expire = 1000", "expire", Expire(files=1000)),
        ("expire = 3 file", "expire", Expire(files=3)),
        ("expire = 100 DAY", "expire", Expire(days=100)),
        ("keep-startup-file = false", "keep_startup_file", None),
        ("keep_startup_file = true", "keep_startup_file", 0),
        ("KeepStartupFile = 500 KB", "keep_startup_file", 500 << 10),
        ("keep-startup-file = 2MB", "keep_startup_file", 2 << 20),
        ("message_format = SHORT", "message_format", MessageFormat.SHORT),
        ("MessageFormat = shorttsv", "message_format", MessageFormat.SHORTTSV),
        ("message_header_delimiter = ;", "message_header_delimiter", ";"),
        ("time_format = ISO8601", "time_format", TimeFormat.ISO8601),
        ("time_convert = UTC", "time_convert", TimeConvert.UTC),
        ("check-point = 0", "check_point", 0),
        ("enable-thread = true", "enable_thread", True),
        ("all = STDOUT, stderr,, /var/log/a b.log , stdout", "all_", ("stdout", "stderr", "/var/log/a b.log")),
        ("output-pattern = %d %p %i %c%% %m%n", "output_pattern", "%d %p %i %c%% %m%n"),
    ],
)
def test_values_are_written_as_in_genesys(conf: ConfFiles, line: str, field: str, value: Any) -> None:
    assert getattr(section(conf, line), field) == value


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("segment = 99 KB", "segment: expected false, a size such as 500 (KB) or 10 MB, or hours"),
        ("segment = 0 hr", "segment: expected"),
        ("segment = true", "segment: expected"),
        ("segment = 10 GB", "segment: expected"),
        ("expire = 0", "expire: expected false, files such as 10 (to 1000), or days"),
        ("expire = 1001 file", "expire: expected"),
        ("expire = 101 day", "expire: expected"),
        ("keep-startup-file = 0 KB", "keep-startup-file: expected"),
        ("keep-startup-file = 500", "keep-startup-file: expected"),
        ("check-point = 25", "check-point: expected a whole number from 0 to 24"),
        ("message-header-delimiter = ||", "message-header-delimiter: expected one printable character"),
        ('message-header-delimiter = "', "message-header-delimiter: expected"),
        ("all = logs/emaild.log", "all: expected stdout, stderr or absolute paths of files, separated by commas"),
        ("debug = stdout, stdour", "debug: expected"),
        ("output-pattern = %d %x", "output-pattern: expected a pattern such as %d %p %m, found '%d %x' (after a %"),
        ("output-pattern = %msg", "output-pattern: expected"),
        ("custom-message-format = 100 %", "custom-message-format: expected"),
        (
            "messagefile = /no/such.lms",
            "messagefile: expected the absolute path of a file",
        ),
        ("messagefile = email.lms", "messagefile: expected"),
    ],
)
def test_what_makes_no_sense_is_refused(conf: ConfFiles, line: str, fault: str) -> None:
    (found,) = conf.faults(f"[log]\n{line}\n")
    assert found.startswith(f"emaild.conf:2: [log] {fault}")


def test_the_name_of_a_file_says_why_it_must_be_absolute(conf: ConfFiles) -> None:
    (found,) = conf.faults("[log]\nall = emaild.log\n")
    assert "it must start with /, for a daemon has no folder of its own" in found


def test_a_custom_format_needs_its_pattern(conf: ConfFiles) -> None:
    assert conf.faults("[log]\nmessage-format = custom\n") == [
        "emaild.conf:2: [log] message-format: custom needs custom-message-format or output-pattern"
    ]
    assert section(conf, "message-format = custom", "custom-message-format = %m").custom_message_format == "%m"


def test_outputs_of_other_servers_are_accepted_with_a_warning(conf: ConfFiles) -> None:
    given = "[log]\nall = network, stdout\nalarm = Memory\n"
    assert conf.warnings(given) == [
        "emaild.conf:2: [log] all: the output network has no effect here: it is one of Genesys's other servers",
        "emaild.conf:3: [log] alarm: the output memory has no effect here: it is one of Genesys's other servers",
    ]
    assert conf.load(given).log.outputs == {"stdout": "all"}


def test_a_message_file_that_is_there_is_taken(conf: ConfFiles, tmp_path: Path) -> None:
    (tmp_path / "email.lms").write_text("")
    assert section(conf, f"messagefile = {tmp_path / 'email.lms'}").messagefile == tmp_path / "email.lms"
