"""What a chat transcript says, as far as a customer may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import StrEnum


class PartyKind(StrEnum):
    """Who takes part in a chat."""

    CLIENT = "CLIENT"
    AGENT = "AGENT"
    SUPERVISOR = "SUPERVISOR"
    EXTERNAL = "EXTERNAL"
    BOT = "BOT"
    SYSTEM = "SYSTEM"


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody, or something, in a chat. `name` is one line, empty where the chat has none."""

    name: str = ""
    kind: PartyKind = PartyKind.EXTERNAL


class EntryKind(StrEnum):
    """What happened."""

    MESSAGE = "MESSAGE"
    NOTICE = "NOTICE"  # the system's word to those who chat
    LINK = "LINK"  # a page that was pushed
    FILE = "FILE"
    RENAME = "RENAME"
    JOIN = "JOIN"
    LEAVE = "LEAVE"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened, `shift` seconds after the start."""

    kind: EntryKind
    shift: int
    party: Party
    text: str = ""
    """What was said; the address of a link; the name of a file; the new name; why somebody left."""
    code: str = ""
    """The number of the reason why somebody left."""
    asker: Party | None = None
    """Who made somebody else leave."""
    size: int | None = None
    """A file's, in bytes."""
    deleted: bool = False
    """A file's, later on."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A chat. `started` is aware, in `zone`, the end user's; `duration`, in seconds, lasts to the last event.

    `client` is what the first client party said of itself, such as FirstName and EmailAddress.
    """

    entries: tuple[Entry, ...] = ()
    started: datetime | None = None
    duration: int = 0
    session_id: str = ""
    subject: str = ""
    zone: tzinfo = UTC
    client: Mapping[str, str] = field(default_factory=dict, repr=False)
