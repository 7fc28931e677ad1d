"""The sections that stand once: `[emaild]`, `[store]`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from emaild.settings import parse
from emaild.settings.option import Effect, SectionKind, option
from emaild.shipped import shipped


class Unknown(StrEnum):
    """What an unknown option or section is."""

    ERROR = "error"
    WARN = "warn"


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
    include: tuple[str, ...] = option(
        parse.patterns,
        default="",
        help="Further conf files, by paths or patterns such as sites/*.conf, relative to the file that this stands"
        " in. They are read right after it, in the order given, a pattern's files by name; conf.d comes last.",
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
        default="10",
        effect=Effect.RESTART,
        help="How many mails are sent at the same time; by one way out half as many at most.",
    )
    connections_per_host: int = option(
        parse.number(1, 1000),
        default="8",
        effect=Effect.RESTART,
        help="How many mailboxes of one server are read at the same time, so that a slow server cannot take"
        " every worker.",
    )
    reader_process: bool = option(
        parse.flag,
        default="true",
        help="Whether mails are read in a process of their own, while those before them are stored, where more than a"
        " hundred are taken from a mailbox at once. It takes a second core, without which there is none, and some 30"
        " MB; it ends when there was nothing to read for a minute.",
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

    @property
    def template_folders(self) -> tuple[Path, ...]:
        """Where templates lie: the operator's own before the shipped ones."""
        return (*([self.templates] if self.templates else []), shipped("templates"))

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        if self.templates is not None and not os.path.isdir(self.templates):
            yield "templates", f"no such folder: {self.templates}"


USUAL_HISTORY = 30  # days; what 0 stands for, as in Dynamics 365


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
        in_effect="history_days",
        help="How many days a mail that left the outbox is kept in the history. 0: 30. What threads and duplicates need"
        " is kept for the longer of the two; where keep-interactions is 0, for ever.",
    )

    @property
    def history_days(self) -> int:
        """How many days the history is kept."""
        return self.keep_history or USUAL_HISTORY
