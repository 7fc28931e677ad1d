"""A mail out as programs see it."""

from __future__ import annotations

from collections.abc import Sequence

from emaild.diagnosis import Diagnosis, diagnose_receipt
from emaild.diagnosis.table import rows
from emaild.documents.times import iso
from emaild.message import Facts, Receipt, RecipientState
from emaild.mime.view import facts
from emaild.store.outbox_entries import Attempt, OutboxEntry

LONGEST_HEADER = 1 << 16  # bytes of a mail that are looked at for its subject


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
        "cause": entry.cause,
        "interactive": entry.interactive,
        "deferrals": entry.deferrals,
    }


def logged_json(entry: OutboxEntry, attempts: Sequence[Attempt], raw: bytes) -> dict[str, object]:
    """One mail with all that is known of it; *raw* is the mail itself."""
    found, head = diagnosed(entry, attempts), header_of(raw)
    return {
        **outbound_json(entry),
        "from": head.sender,
        "subject": head.subject,
        "cause": found.cause if found else entry.cause,
        "explanation": found.explanation if found else "",
        "remedy": found.remedy if found else "",
        "log": log_json(attempts),
    }


def log_json(attempts: Sequence[Attempt]) -> list[dict[str, object]]:
    """The tries of a mail; one that stands for several in a row has their number in `times`, and `last`."""
    return [
        {
            "number": one.number,
            "at": iso(one.at),
            "way_out": one.way_out,
            "outcome": one.outcome,
            "times": one.times,
            "last": iso(one.last),
            "seconds": None if one.seconds is None else round(one.seconds, 3),
            "server": one.server,
            "tls": one.tls,
            "answers": [_answer(answer) for answer in one.answers],
            "cause": one.cause,
        }
        for one in attempts
    ]


def _answer(receipt: Receipt) -> dict[str, str]:
    return {
        "address": receipt.address,
        "state": receipt.state.value,
        "code": receipt.code,
        "status": receipt.status,
        "text": receipt.text,
    }


def diagnosed(entry: OutboxEntry, attempts: Sequence[Attempt]) -> Diagnosis | None:
    """What keeps a mail from its recipients, None where that is not known, or nothing does.

    Where no cause was kept, as of a mail of former versions, it is found from what servers answered.
    """
    if entry.cause:
        return next((row.diagnosis for row in rows() if row.diagnosis.cause == entry.cause), None)
    server = attempts[-1].server if attempts else ""
    answered = (one for one in entry.recipients if one.state is not RecipientState.SENT and one.code)
    return next(filter(None, (diagnose_receipt(one, server) for one in answered)), None)


def header_of(raw: bytes) -> Facts:
    """What the header of a mail says."""
    return facts(raw[:LONGEST_HEADER].partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
