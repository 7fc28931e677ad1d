"""Which interactions somebody looks for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func

from emaild.message import InteractionState
from emaild.store.schema import interaction


@dataclass(frozen=True, kw_only=True)
class InboxChoice:
    """Those that fit all that is given; empty and None fit any.

    `sender`, `recipient` (in To or Cc): a whole address, or @domain, in any case. `subject`: words that it holds, in
    any case of the letters A to Z. `since` and `until` are when it came.
    """

    mailbox: str = ""
    queue: str = ""
    states: tuple[InteractionState, ...] = ()
    subtype: str = ""
    sender: str = ""
    recipient: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def exact(self) -> dict[str, list[str]]:
        """Columns that have an index each, and the values of which a row must have one."""
        said = {name: [value] for name in ("mailbox", "queue", "subtype") if (value := getattr(self, name))}
        return {"state": [state.value for state in self.states], **said} if self.states else said

    def terms(self) -> Iterator[ColumnElement[bool]]:
        """What a row must fulfil beside what is `exact`."""
        columns = interaction.c
        if self.since:
            yield columns.received >= self.since.timestamp()
        if self.until:
            yield columns.received < self.until.timestamp()
        yield from self._said()

    def _said(self) -> Iterator[ColumnElement[bool]]:
        facts = interaction.c.facts
        if self.sender:
            sender, wanted = func.lower(facts["sender"].as_string()), self.sender.lower()
            yield sender.endswith(wanted, autoescape=True) if wanted.startswith("@") else sender == wanted
        if self.recipient:
            written = json.dumps(self.recipient.lower())[1:]  # as it stands in a list: its end is a quotation mark
            wanted = written if self.recipient.startswith("@") else f'"{written}'
            both = func.lower(facts["to"].as_string()).concat(func.lower(facts["cc"].as_string()))
            yield both.contains(wanted, autoescape=True)
        if self.subject:
            yield func.lower(facts["subject"].as_string()).contains(self.subject.lower(), autoescape=True)
