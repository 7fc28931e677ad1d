"""A mail out as programs see it."""

from __future__ import annotations

from collections.abc import Sequence

from emaild.documents.times import iso
from emaild.store.outbox import Attempt, OutboxEntry


def outbound_json(entry: OutboxEntry) -> dict[str, object]:
    """A mail in the outbox or the history."""
    return {
        "id": entry.id,
        "state": entry.state.value,
        "way_out": entry.way_out,
        "message_id": entry.message_id,
        "sender": entry.sender,
        "recipients": [
            {"address": one.address, "state": one.state.value, "code": one.code, "text": one.text}
            for one in entry.recipients
        ],
        "attempts": entry.attempts,
        "created": iso(entry.created),
        "next_attempt": iso(entry.next_attempt),
        "finished": iso(entry.finished),
        "diagnosis": entry.diagnosis,
    }


def log_json(attempts: Sequence[Attempt]) -> list[dict[str, object]]:
    """The tries of a mail."""
    return [
        {"number": one.number, "at": iso(one.at), "way_out": one.way_out, "outcome": one.outcome} for one in attempts
    ]
