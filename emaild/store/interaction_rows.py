"""Interactions as rows of the store, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Text, type_coerce

from emaild.message import (
    Attachment,
    Envelope,
    Facts,
    Interaction,
    InteractionState,
    Report,
    ReportedRecipient,
    ReportKind,
)
from emaild.store.schema import interaction

# They are read from the bytes again when somebody asks for them, or stand beside.
NOT_KEPT = ("text", "html", "reply", "quoted", "headers", "report")
COLUMNS = tuple(type_coerce(one, Text).label(one.name) if isinstance(one.type, JSON) else one for one in interaction.c)
"""What a row is read as: JSON is text."""
KEPT = tuple(field.name for field in fields(Facts) if field.name not in NOT_KEPT)


def row_of(entry: Interaction) -> dict[str, object]:
    """The row as SQLite takes it: JSON is text."""
    said = entry.facts
    facts = {name: getattr(said, name) for name in KEPT}
    facts["date"] = said.date.isoformat() if said.date else None
    facts["attachments"] = [vars(part) for part in said.attachments]
    return {
        "id": entry.id,
        "type": entry.type,
        "subtype": entry.subtype,
        "mailbox": entry.mailbox,
        "received": entry.received.timestamp(),
        "queue": entry.queue,
        "state": entry.state.value,
        "thread_id": entry.thread_id,
        "parent_id": entry.parent_id,
        "message_id": said.message_id,
        "raw_digest": entry.raw_digest,
        "facts": json.dumps(facts),
        "user_data": json.dumps(dict(entry.user_data)),
        "report": None if said.report is None else json.dumps(asdict(said.report)),
        "number": entry.number,
        "rule": entry.rule,
        "envelope": None if entry.envelope is None else json.dumps(asdict(entry.envelope)),
    }


def entry_of(row: Any) -> Interaction:
    """The interaction of a row that has `COLUMNS` as attributes."""
    kept = json.loads(row.facts)
    kept["date"] = datetime.fromisoformat(kept["date"]) if kept["date"] else None
    kept["attachments"] = tuple(Attachment(**part) for part in kept["attachments"])
    for name in ("to", "cc", "reply_to", "references", "enclosed_ids"):
        kept[name] = tuple(kept.get(name, ()))
    return Interaction(
        id=row.id,
        type=row.type,
        subtype=row.subtype,
        mailbox=row.mailbox,
        received=datetime.fromtimestamp(row.received, UTC),
        queue=row.queue,
        state=InteractionState(row.state),
        thread_id=row.thread_id,
        parent_id=row.parent_id,
        raw_digest=row.raw_digest,
        facts=Facts(**kept, report=_report(report) if (report := _loaded(row.report)) else None),
        user_data=_loaded(row.user_data) or {},
        number=row.number,
        rule=row.rule,
        envelope=_envelope(envelope) if (envelope := _loaded(row.envelope)) else None,
    )


def _loaded(text: str | None) -> Any:
    """What a column says that may say nothing, in either way."""
    return None if text is None or text == "null" else json.loads(text)


def _envelope(kept: Mapping[str, Any]) -> Envelope:
    return Envelope(sender=kept["sender"], recipients=tuple(kept["recipients"]))


def _report(kept: Mapping[str, Any]) -> Report:
    recipients = tuple(ReportedRecipient(**recipient) for recipient in kept["recipients"])
    return Report(**{**kept, "kind": ReportKind(kept["kind"]), "recipients": recipients})
