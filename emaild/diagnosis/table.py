"""The table of causes: TOML files in causes/, a row for each cause, each with replies that real servers gave.

Each row says when it applies: `status` (enhanced statuses that alone say what it is), `names` (codes in words, of EWS
and Graph), `words` (regular expressions for a reply), `failure` (those for `ACTION: REASON` where no server replied),
`vague` (enhanced statuses that say little, x for any number), `hints` (words that say little), `code` and `http`.
`providers` and `only`, regular expressions again, narrow all of these. How they are weighed is in diagnose.py.
A sample's `at` is where it is said: a step of SMTP (RCPT where there is none, `.` for the end of a mail), Graph, EWS,
or `emaild` for what emaild and the system say themselves.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("causes")


class Who(StrEnum):
    """Whose it is to put it right."""

    US = "us"  # the conf file, or our account at the server
    MAIL = "mail"  # whoever wrote this mail: its sender, recipients, size or contents
    RECIPIENT = "recipient"
    SERVER = "server"
    NETWORK = "network"


class Wait(StrEnum):
    """Why to wait, which says for how long: minutes, until the way has rested, hours, or as always."""

    GREYLISTED = "greylisted"
    THROTTLED = "throttled"
    FULL = "full"
    PLAIN = "plain"


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What a failure means. `cause` is a key that stays the same, the others are for a person."""

    cause: str
    title: str
    explanation: str
    remedy: str
    who: Who


@dataclass(frozen=True, kw_only=True)
class Row:
    """A cause, and by what it is known. `options` are those that the remedy names."""

    diagnosis: Diagnosis
    options: tuple[str, ...]
    samples: tuple[dict[str, str], ...]
    wait: Wait
    status: frozenset[str]
    names: frozenset[str]
    words: re.Pattern[str] | None
    failure: re.Pattern[str] | None
    vague: re.Pattern[str] | None
    hints: re.Pattern[str] | None
    code: frozenset[str]
    http: frozenset[str]
    providers: frozenset[str]
    only: re.Pattern[str] | None

    @property
    def narrow(self) -> bool:
        """Whether it goes before those that are for everybody."""
        return bool(self.providers) or self.only is not None


@cache
def rows() -> tuple[Row, ...]:
    """The whole table, read once: files and rows in the order of their names."""
    files = sorted(FOLDER.glob("*.toml"))
    return tuple(_row(one) for file in files for one in tomllib.loads(file.read_text(encoding="utf-8"))["cause"])


def _row(given: dict[str, Any]) -> Row:
    left = dict(given)
    diagnosis = Diagnosis(
        cause=left.pop("key"),
        title=left.pop("title"),
        explanation=left.pop("explanation"),
        remedy=left.pop("remedy"),
        who=Who(left.pop("who")),
    )
    row = Row(
        diagnosis=diagnosis,
        options=tuple(left.pop("options", ())),
        samples=tuple(left.pop("samples")),
        wait=Wait(left.pop("wait", Wait.PLAIN)),
        status=frozenset(left.pop("status", ())),
        names=frozenset(left.pop("names", ())),
        words=_pattern(left.pop("words", [])),
        failure=_pattern(left.pop("failure", [])),
        vague=_statuses(left.pop("vague", [])),
        hints=_pattern(left.pop("hints", [])),
        code=frozenset(left.pop("code", ())),
        http=frozenset(left.pop("http", ())),
        providers=frozenset(left.pop("providers", ())),
        only=_pattern(left.pop("only", [])),
    )
    if left:
        raise ValueError(f"{diagnosis.cause}: nothing is known of {', '.join(left)}")
    return row


def _pattern(alternatives: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(alternatives), re.IGNORECASE) if alternatives else None


def _statuses(given: list[str]) -> re.Pattern[str] | None:
    """`x.2.x` and the like."""
    alternatives = "|".join(re.escape(one).replace("x", "[0-9]+") for one in given)
    return re.compile(alternatives) if alternatives else None
