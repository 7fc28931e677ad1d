"""`[log]`: what is logged, how, and where to. Options, values and defaults are Genesys's common log options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from emaild.settings import parse
from emaild.settings.option import SectionKind, option
from emaild.settings.parse import Parser

STREAMS = ("stdout", "stderr")
ELSEWHERE = ("network", "memory")  # outputs of Genesys's other servers
LEVELS = ("all", "debug", "trace", "interaction", "standard", "alarm")
"""The options that name outputs, by what they take: each takes less than the one before, `debug` as much as `all`."""
LETTERS = "d p i c m n %"
CONVERSION = re.compile(r"%(?:([dpicmn])(?![A-Za-z])|%)")


class Verbosity(StrEnum):
    """The least important kind of event that is logged, in Genesys's words."""

    ALL = "all"
    DEBUG = "debug"
    TRACE = "trace"
    INTERACTION = "interaction"
    STANDARD = "standard"
    NONE = "none"


class MessageFormat(StrEnum):
    """How log lines look. Genesys's own formats are those from `short` on."""

    AUTOMATIC = "automatic"
    JSON = "json"
    TEXT = "text"
    SHORT = "short"
    MEDIUM = "medium"
    FULL = "full"
    SHORTCSV = "shortcsv"
    SHORTTSV = "shorttsv"
    SHORTDSV = "shortdsv"
    CUSTOM = "custom"


class TimeFormat(StrEnum):
    """How lines in Genesys's formats show the time."""

    TIME = "time"
    LOCALE = "locale"
    ISO8601 = "iso8601"


class TimeConvert(StrEnum):
    """Whose time that is."""

    LOCAL = "local"
    UTC = "utc"


@dataclass(frozen=True)
class Segment:
    """When a log file is full: at `size` bytes, or when `hours` end; the other is 0."""

    size: int = 0
    hours: int = 0


@dataclass(frozen=True)
class Expire:
    """What is kept of a log: that many `files`, or what is younger than `days`; the other is 0."""

    files: int = 0
    days: int = 0


def _kilobytes(number: str, unit: str) -> int:
    return int(number) * (1 << 20 if unit.lower() == "mb" else 1 << 10)


def _found(pattern: str, value: str) -> re.Match[str] | None:
    """None for `false`."""
    if value.strip().lower() == "false":
        return None
    found = re.fullmatch(pattern, value.strip(), re.IGNORECASE | re.ASCII)
    if found is None:
        raise ValueError
    return found


def _segment(value: str) -> Segment | None:
    found = _found(r"(\d{1,7})(?:\s*(kb|mb)|\s*(hr))?", value)
    if found is None:
        return None
    if found[3]:
        segment = Segment(hours=int(found[1]))
        fits = segment.hours >= 1
    else:
        segment = Segment(size=_kilobytes(found[1], found[2] or "kb"))
        fits = segment.size >= 100 << 10
    if not fits:
        raise ValueError("at least 100 KB, or 1 hr")
    return segment


def _expire(value: str) -> Expire | None:
    found = _found(r"(\d{1,4})\s*(file|day)?", value)
    if found is None:
        return None
    by_days = (found[2] or "").lower() == "day"
    number = int(found[1])
    if not 1 <= number <= (100 if by_days else 1000):
        raise ValueError
    return Expire(days=number) if by_days else Expire(files=number)


def _startup(value: str) -> int | None:
    if value.strip().lower() == "true":
        return 0
    found = _found(r"([1-9]\d{0,6})\s*(kb|mb)", value)
    return None if found is None else _kilobytes(found[1], found[2])


def _outputs(value: str) -> tuple[str, ...]:
    named = (word.strip() for word in value.split(",") if word.strip())
    return tuple(dict.fromkeys(word.lower() if word.lower() in STREAMS + ELSEWHERE else _file(word) for word in named))


def _file(word: str) -> str:
    return str(parse.path.read(word))


def _pattern(value: str) -> str:
    if "%" in CONVERSION.sub("", value):
        raise ValueError(f"after a % only one of {LETTERS} may stand")
    return value


def _delimiter(value: str) -> str:
    if len(value) != 1 or not value.isprintable() or value == '"':
        raise ValueError
    return value


outputs: Parser[tuple[str, ...]] = Parser(_outputs, "stdout, stderr or absolute paths of files, separated by commas")
segments: Parser[Segment | None] = Parser(_segment, "false, a size such as 500 (KB) or 10 MB, or hours such as 24 hr")
expiry: Parser[Expire | None] = Parser(_expire, "false, files such as 10 (to 1000), or days such as 30 day (to 100)")
startups: Parser[int | None] = Parser(_startup, "true, false, or a size such as 500 KB or 10 MB")
pattern: Parser[str] = Parser(_pattern, "a pattern such as %d %p %m")
delimiter: Parser[str] = Parser(_delimiter, "one printable character other than a quote")


@dataclass(frozen=True, kw_only=True)
class LogSection:
    """What is logged, how, and where to."""

    kind: ClassVar[SectionKind] = SectionKind(name="log", help="What is logged, how, and where to.")

    verbose: Verbosity = option(
        parse.one_of(Verbosity),
        default="trace",
        ours=True,
        help="The least important kind of event that is logged: standard (what an operator must know),"
        " interaction (what became of each mail), trace (the course of things), debug or all; none: nothing.",
    )
    message_format: MessageFormat = option(
        parse.one_of(MessageFormat),
        default="automatic",
        ours=True,
        help="json: one object a line. text: for eyes. automatic: text on a terminal, else json. The others are"
        " Genesys's: short, medium and full have more and more before the text, the three of short with a comma, a tab"
        " or message-header-delimiter between; custom is what the two patterns say.",
    )
    message_header_delimiter: str = option(delimiter, default="|", help="What shortdsv puts between its columns.")
    custom_message_format: str = option(
        pattern,
        default="",
        help="For custom, what follows time and level: %m the text, %i the event's number, %c its name, %d the time,"
        " %p the level, %n a blank, %% a percent sign.",
    )
    output_pattern: str = option(
        pattern, default="", help="For custom, the whole line in the same letters, in place of custom-message-format."
    )
    time_format: TimeFormat = option(
        parse.one_of(TimeFormat),
        default="time",
        help="The time in Genesys's formats: time (HH:MM:SS.sss), locale (as the system's locale has it) or iso8601.",
    )
    time_convert: TimeConvert = option(
        parse.one_of(TimeConvert), default="local", help="Whether that is local time or UTC."
    )
    all_: tuple[str, ...] = option(
        outputs,
        default="",
        name="all",
        help="Where every event goes that verbose lets through. Where none of these options names an output, all go to"
        " stderr. network and memory are accepted and have no effect.",
    )
    debug: tuple[str, ...] = option(outputs, default="", help="The same as all.")
    trace: tuple[str, ...] = option(outputs, default="", help="Where trace events go, and what is more important.")
    interaction: tuple[str, ...] = option(
        outputs, default="", help="Where interaction events go, and what is more important."
    )
    standard: tuple[str, ...] = option(outputs, default="", help="Where standard events go, and alarms.")
    alarm: tuple[str, ...] = option(outputs, default="", help="Where alarms go: events that tell of an error.")
    segment: Segment | None = option(
        segments,
        default="false",
        help="When a log file is full and gets the time of its end (UTC) into its name: at a size, or when so many"
        " hours are over by the clock in UTC.",
    )
    expire: Expire | None = option(
        expiry, default="10", help="How many files are kept of a log, the one in use among them, or for how long."
    )
    keep_startup_file: int | None = option(
        startups,
        default="false",
        help="Whether the first segment after the start is kept as NAME.startup.log, and from which size it is full;"
        " true: as segment says. Without segment it has no effect.",
    )
    buffering: bool = option(
        parse.flag,
        default="true",
        help="Lines to stdout may wait up to a second to be written together. Those to stderr and files never wait.",
    )
    check_point: int = option(
        parse.number(0, 24),
        default="1",
        help="Every so many hours an event shows that emaild lives, where an output is named above. 0: never.",
    )
    messagefile: Path | None = option(
        parse.optional(parse.file),
        default="",
        help="An .lms file of Genesys's: its texts stand in Genesys's formats in place of the names of events.",
    )
    enable_thread: bool = option(
        parse.flag,
        default="false",
        help="Whether a thread of its own writes the lines, so that nobody waits for a disk.",
    )

    @property
    def outputs(self) -> dict[str, str]:
        """Each output that there is here, with the most talkative of the options that name it."""
        found: dict[str, str] = {}
        for level in LEVELS:
            for output in getattr(self, "all_" if level == "all" else level):
                if output not in ELSEWHERE:
                    found.setdefault(output, level)
        return found

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        if self.message_format is MessageFormat.CUSTOM and not (self.custom_message_format or self.output_pattern):
            yield "message-format", "custom needs custom-message-format or output-pattern"
