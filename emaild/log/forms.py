"""How an event becomes a line: JSON, for eyes, or in one of Genesys's formats.

Genesys's are (docs: Common Log Options)

    full    2002-05-07T18:11:38.196 Standard localhost cfg_dbserver GCTI-00-05060 Application started
    medium  2002-05-07T18:11:38.196 Standard GCTI-00-05060 Application started
    short   2002-05-07T18:11:38.196 Std 05060 Application started

of which medium is our reading: it is nowhere shown. The text is what an .lms file has for the number, else the name of
the event, and after it the fields that the text does not show.
"""

from __future__ import annotations

import csv
import io
import json
import re
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from emaild import __version__
from emaild.log.times import Moment, moment_of
from emaild.settings.log import CONVERSION, LogSection, MessageFormat, Verbosity

Event = dict[str, Any]
"""`timestamp`, `level`, `kind`, `event` and `code`, then fields of its own."""
Form = Callable[[Event], str]

OURS = (MessageFormat.AUTOMATIC, MessageFormat.JSON, MessageFormat.TEXT)
HEAD = ("timestamp", "level", "event", "code")
NO_FIELDS = {*HEAD, "kind"}
SHORT = {
    Verbosity.STANDARD: "Std",
    Verbosity.INTERACTION: "Int",
    Verbosity.TRACE: "Trc",
    Verbosity.DEBUG: "Dbg",
}
PLACE = re.compile(r"%(?:%|[-+ #0]*\d*(?:\.\d+)?(?:hh?|ll?)?[diuoxXscfgep])")  # printf(3), as far as .lms files use it
PLAIN = re.compile(r'[^\s"=\x00-\x1f\x7f]+')


def form_of(section: LogSection, texts: Mapping[int, str], *, terminal: bool) -> Form:
    """How lines look by *section*; *texts* are those of its .lms file. Each is one line but text for eyes."""
    match section.message_format:
        case MessageFormat.AUTOMATIC | MessageFormat.JSON | MessageFormat.TEXT as form:
            eyes = form is MessageFormat.TEXT or (form is MessageFormat.AUTOMATIC and terminal)
            return _for_eyes(colors=terminal) if eyes else _json()
        case MessageFormat.CUSTOM:
            pattern = section.output_pattern or "%d %p " + section.custom_message_format
            return _custom(pattern, moment_of(section), texts)
        case MessageFormat.SHORTCSV | MessageFormat.SHORTTSV | MessageFormat.SHORTDSV as form:
            between = {MessageFormat.SHORTCSV: ",", MessageFormat.SHORTTSV: "\t"}
            return _columns(between.get(form, section.message_header_delimiter), moment_of(section), texts)
        case form:
            return _genesys(form, moment_of(section), texts)


def header_of(section: LogSection) -> str:
    """The first line of a file in the short format, whose other lines do not say whose they are; else empty."""
    if section.message_format is not MessageFormat.SHORT:
        return ""
    zone = "UTC" if section.time_convert == "utc" else "local"
    return f"Application emaild {__version__}, host {socket.gethostname()}, {sys.platform}, time zone {zone}"


def _json() -> Form:
    encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
    return lambda event: encode(_in_order(event))


def _for_eyes(*, colors: bool) -> Form:
    render = structlog.dev.ConsoleRenderer(
        colors=colors, pad_event_to=24, exception_formatter=structlog.dev.plain_traceback
    )
    return lambda event: render(None, "", _in_order(event))


def _in_order(event: Event) -> Event:
    """When, how grave and what come first in a line. An event's kind never shows: its level does."""
    return {name: event[name] for name in HEAD} | _fields(event)


def _fields(event: Event) -> Event:
    return {name: value for name, value in event.items() if name not in NO_FIELDS}


def _genesys(form: MessageFormat, moment: Moment, texts: Mapping[int, str]) -> Form:
    host = socket.gethostname()

    def line(event: Event) -> str:
        when, code, text = moment(event["timestamp"]), event["code"], _text(event, texts)
        kind = event["kind"].capitalize()
        match form:
            case MessageFormat.FULL:
                return f"{when} {kind} {host} emaild GCTI-00-{code:05} {text}"
            case MessageFormat.MEDIUM:
                return f"{when} {kind} GCTI-00-{code:05} {text}"
            case _:
                return f"{when} {SHORT[event['kind']]} {code:05} {text}"

    return line


def _columns(between: str, moment: Moment, texts: Mapping[int, str]) -> Form:
    def line(event: Event) -> str:
        out = io.StringIO()
        row = (moment(event["timestamp"]), SHORT[event["kind"]], f"{event['code']:05}", _text(event, texts))
        csv.writer(out, delimiter=between, lineterminator="").writerow(row)
        return out.getvalue()

    return line


def _custom(pattern: str, moment: Moment, texts: Mapping[int, str]) -> Form:
    def line(event: Event) -> str:
        letters = {
            "d": moment(event["timestamp"]),
            "p": SHORT[event["kind"]],
            "i": f"{event['code']:05}",
            "c": event["event"],
            "m": _text(event, texts),
            "n": " ",  # an event is one line
            None: "%",
        }
        return CONVERSION.sub(lambda found: letters[found[1]], pattern).rstrip()

    return line


def _text(event: Event, texts: Mapping[int, str]) -> str:
    """What happened, in one line."""
    said = {name: _shown(value) for name, value in _fields(event).items()}
    text = texts.get(event["code"])
    if text is None:
        begin = event["event"]
    else:
        begin = PLACE.sub(lambda place: "%" if place[0] == "%%" else said.pop(next(iter(said), ""), ""), text)
    if event["level"] not in ("debug", "info"):
        said["level"] = event["level"]
    return " ".join([begin, *(f"{name}={value}" for name, value in said.items())])


def _shown(value: object) -> str:
    """A value that stands in a line: as it is, or as JSON where it would be taken for more than one."""
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    text = str(value)
    return text if PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
