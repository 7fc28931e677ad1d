"""The sections that stand once: `[emaild]`, `[email-processing]`, `[store]`, `[log]`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from emaild.settings import parse
from emaild.settings.option import Effect, SectionKind, option


class Unknown(StrEnum):
    """What an unknown option or section is."""

    ERROR = "error"
    WARN = "warn"


class Verbosity(StrEnum):
    """The least important kind of event that is logged, in Genesys's words."""

    ALL = "all"
    DEBUG = "debug"
    TRACE = "trace"
    INTERACTION = "interaction"
    STANDARD = "standard"
    NONE = "none"


class MessageFormat(StrEnum):
    """How log lines look."""

    AUTOMATIC = "automatic"
    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True, kw_only=True)
class EmaildSection:
    """The daemon itself."""

    kind: ClassVar[SectionKind] = SectionKind(name="emaild", help="The daemon itself.")

    state_directory: Path = option(
        parse.path,
        default="/var/lib/emaild",
        effect=Effect.RESTART,
        help="Where the store lies. It belongs to the user that the daemon runs as, and to nobody else.",
    )
    templates: Path | None = option(
        parse.optional(parse.path),
        default="",
        help="A folder of templates; a file in it takes the place of the shipped one of the same name.",
    )
    unknown_options: Unknown = option(
        parse.one_of(Unknown),
        default="error",
        help="Whether an option or section that emaild does not know is an error, or a warning (for exports"
        " from Genesys that carry more).",
    )
    inbound_workers: int = option(
        parse.number(1, 500),
        default="16",
        effect=Effect.RESTART,
        help="How many mailboxes are read at the same time.",
    )
    outbound_workers: int = option(
        parse.number(1, 500),
        default="4",
        effect=Effect.RESTART,
        help="How many mails are sent at the same time.",
    )
    connections_per_host: int = option(
        parse.number(1, 1000),
        default="8",
        effect=Effect.RESTART,
        help="How many mailboxes of one server are read at the same time, so that a slow server cannot take"
        " every worker.",
    )
    drain_timeout: float = option(
        parse.within("1s", "10m"),
        default="20s",
        help="How long work under way may go on after SIGTERM; what is not finished then is done again after"
        " the next start.",
    )
    reload_quiet: float = option(
        parse.within("100ms", "1m"),
        default="1s",
        effect=Effect.RESTART,
        help="How long conf files must lie still before a change is read.",
    )

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        if self.templates is not None and not os.path.isdir(self.templates):
            yield "templates", f"no such folder: {self.templates}"


@dataclass(frozen=True, kw_only=True)
class ProcessingSection:
    """What is done with mails."""

    kind: ClassVar[SectionKind] = SectionKind(name="email-processing", help="What is done with mails.")

    default_inbound_queue: str = option(
        parse.text,
        default="inbound",
        help="The queue of an interaction whose mailbox names no endpoint.",
    )
    default_domain: str = option(
        parse.text,
        default="",
        help="The domain of the Message-IDs that emaild makes. Empty: the domain of the mail's sender.",
    )

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        if not re.fullmatch(r"[\w.-]*", self.default_domain):
            yield "default-domain", f"expected a domain such as example.com, found {self.default_domain!r}"


@dataclass(frozen=True, kw_only=True)
class StoreSection:
    """How long what is stored is kept."""

    kind: ClassVar[SectionKind] = SectionKind(name="store", help="How long what is stored is kept.")

    keep_interactions: int = option(
        parse.number(0, 36500),
        default="0",
        help="How many days an interaction is kept with its mail. 0: for ever.",
    )
    keep_history: int = option(
        parse.number(0, 36500),
        default="30",
        help="How many days a mail that left the outbox is kept in the history. 0: for ever.",
    )


@dataclass(frozen=True, kw_only=True)
class LogSection:
    """What is logged, and how."""

    kind: ClassVar[SectionKind] = SectionKind(name="log", help="What is logged, and how.")

    verbose: Verbosity = option(
        parse.one_of(Verbosity),
        default="trace",
        help="The least important kind of event that is logged: standard (what an operator must know),"
        " interaction (what became of each mail), trace (the course of things), debug or all; none: nothing.",
    )
    message_format: MessageFormat = option(
        parse.one_of(MessageFormat),
        default="automatic",
        help="json: one object a line. text: for eyes. automatic: text on a terminal, else json.",
    )
