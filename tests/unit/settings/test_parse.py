"""What an operator types, and what it is taken for."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from emaild.settings import parse
from emaild.settings.parse import Parser
from emaild.settings.secret import Secret


class Colour(StrEnum):
    RED = "red"
    DARK_BLUE = "dark-blue"


class One(StrEnum):
    ONLY = "only"


GOOD: list[tuple[str, Parser[Any], str, object]] = [
    ("text as it is", parse.text, "a = b ; c # d % e", "a = b ; c # d % e"),
    ("empty text", parse.text, "", ""),
    *[(f"flag {word}", parse.flag, word, True) for word in ("true", "TRUE", "yes", "On", "1", " true ")],
    *[(f"flag {word}", parse.flag, word, False) for word in ("false", "No", "OFF", "0")],
    ("seconds", parse.duration, "90s", 90.0),
    ("milliseconds", parse.duration, "250ms", 0.25),
    ("minutes", parse.duration, "5m", 300.0),
    ("half an hour", parse.duration, "0.5 h", 1800.0),
    ("days in capitals", parse.duration, "2D", 172800.0),
    ("hh:mm:ss", parse.duration, "01:02:03", 3723.0),
    ("many hours", parse.duration, "100:00:00", 360000.0),
    ("date", parse.day, " 2026-01-31 ", datetime(2026, 1, 31, tzinfo=UTC)),
    ("host", parse.host, "imap.example.com", "imap.example.com"),
    ("IPv4", parse.host, "192.0.2.7", "192.0.2.7"),
    ("IPv6", parse.host, "2001:db8::1", "2001:db8::1"),
    ("IPv6 in brackets", parse.host, "[2001:db8::1]", "2001:db8::1"),
    ("IPv6 with a zone", parse.host, "fe80::1%eth0", "fe80::1%eth0"),
    ("host in Unicode", parse.host, "müller.example", "müller.example"),
    ("words", parse.words, "a@b.c, @d.e;f  g", ("a@b.c", "@d.e", "f", "g")),
    ("no words", parse.words, " , ", ()),
    ("path", parse.path, "/var/lib/x y", Path("/var/lib/x y")),
    ("home", parse.path, "~root/x", Path("/root/x")),
    ("secret", parse.secret, "hunter2", Secret("hunter2")),
    ("least number", parse.number(-5, 5), "-5", -5),
    ("greatest number", parse.number(-5, 5), " 5 ", 5),
    ("shortest", parse.within("1s", "1m"), "1s", 1.0),
    ("longest", parse.within("1s", "1m"), "00:01:00", 60.0),
    ("bytes", parse.size(""), "10", 10),
    ("bare megabytes", parse.size("m"), "10", 10 << 20),
    ("bytes with their unit", parse.size("m"), "10b", 10),
    ("kilobytes", parse.size(""), "10 k", 10 << 10),
    ("mebibytes", parse.size(""), "10 MiB", 10 << 20),
    ("gigabytes", parse.size("k"), "2GB", 2 << 30),
    ("a word", parse.one_of(Colour), "Dark-Blue", Colour.DARK_BLUE),
    ("nothing", parse.optional(parse.duration), "  ", None),
    ("something", parse.optional(parse.duration), "1s", 1.0),
]

BAD: list[tuple[Parser[Any], str]] = [
    *[(parse.flag, text) for text in ("", "maybe", "2", "true false")],
    *[(parse.duration, text) for text in ("", "90", "1 fortnight", "-1s", "1:2", "00:60:00", "00:00:60", "١s", "1e3s")],
    *[(parse.day, text) for text in ("", "31.01.2026", "2026-02-30", "2026-1-1", "today")],
    *[(parse.host, text) for text in ("", "a b", "imap.example.com/x", "user@host", "x" * 254)],
    *[(parse.path, text) for text in ("", "relative/path", "./x", "~nobody-of-that-name/x")],
    *[(parse.number(1, 10), text) for text in ("", "0", "11", "1.5", "ten", "9" * 30, "٣", "+1")],
    *[(parse.within("1s", "1m"), text) for text in ("", "999ms", "61s", "5", "00:01:01")],
    *[(parse.size(""), text) for text in ("", "-1", "10 TB", "1.5k", "k")],
    *[(parse.one_of(Colour), text) for text in ("", "green", "dark blue")],
    *[(parse.optional(parse.number(1, 10)), text) for text in ("x", "0")],
]


@pytest.mark.parametrize(("parser", "text", "value"), [case[1:] for case in GOOD], ids=[case[0] for case in GOOD])
def test_what_is_of_the_kind_is_read(parser: Parser[Any], text: str, value: object) -> None:
    assert parser.read(text) == value


@pytest.mark.parametrize(("parser", "text"), BAD, ids=[f"{parser.expects[:20]}-{text[:20]}" for parser, text in BAD])
def test_what_is_not_of_the_kind_is_refused(parser: Parser[Any], text: str) -> None:
    with pytest.raises(ValueError):
        parser.read(text)


@pytest.mark.parametrize("spelling", ["90s", "1.5m", "00:01:30", "0.025h", "90000ms"])
def test_a_duration_is_the_same_in_all_spellings(spelling: str) -> None:
    assert parse.duration.read(spelling) == pytest.approx(90.0)


def test_a_relative_path_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="must start with /"):
        parse.path.read("emaild.d")


@pytest.mark.parametrize(
    ("parser", "expects"),
    [
        (parse.number(1, 10), "a whole number from 1 to 10"),
        (parse.within("1s", "10m"), "a duration from 1s to 10m (such as 90s, 5m or hh:mm:ss)"),
        (parse.size("m"), "a size such as 10M or 10 MiB (a bare number means MiB)"),
        (parse.one_of(Colour), "red or dark-blue"),
        (parse.one_of(One), "only"),
        (parse.optional(parse.flag), "true or false, or nothing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_parser_says_what_it_expects(parser: Parser[Any], expects: str) -> None:
    assert parser.expects == expects


def test_what_may_be_left_out_is_as_secret_as_what_stands_in_it() -> None:
    assert parse.optional(parse.secret).secret
    assert not parse.optional(parse.text).secret
