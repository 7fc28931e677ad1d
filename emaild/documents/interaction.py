"""An interaction as programs see it."""

from __future__ import annotations

from emaild.documents.times import iso
from emaild.message import Attachment, Facts, Interaction, Report


def interaction_json(entry: Interaction, *, full: bool) -> dict[str, object]:
    """What a mail became; the texts only when *full*.

    `stored_json` sets what only a stored interaction has beside it. Message-IDs have their angle brackets, `date` is
    RFC 3339 in UTC.
    """
    said = entry.facts
    return {
        "type": entry.type,
        "subtype": entry.subtype,
        "subject": said.subject,
        "from": said.sender,
        "from_personal": said.sender_personal,
        "reply_to": list(said.reply_to),
        "to": list(said.to),
        "cc": list(said.cc),
        "message_id": said.message_id,
        "in_reply_to": said.in_reply_to,
        "references": list(said.references),
        "date": iso(said.date),
        **(_texts(said) if full else {}),
        "attachments": [_attachment(part) for part in said.attachments],
        "automatic": said.automatic,
        "report": _report(said.report) if said.report else None,
        "user_data": dict(entry.user_data),
        "wrapped": said.wrapped,
        "rule": entry.rule,
    }


def stored_json(entry: Interaction, *, full: bool) -> dict[str, object]:
    """An interaction in the store; `number` is null until the rules saw it, `envelope` null of a mail in."""
    envelope = entry.envelope
    return {
        "id": entry.id,
        "number": entry.number,
        "mailbox": entry.mailbox,
        "received": iso(entry.received),
        "queue": entry.queue,
        "thread_id": entry.thread_id,
        "parent_id": entry.parent_id,
        "state": entry.state.value,
        "envelope": envelope and {"sender": envelope.sender, "recipients": list(envelope.recipients)},
        **interaction_json(entry, full=full),
    }


def _texts(said: Facts) -> dict[str, object]:
    return {"text": said.text, "html": said.html, "reply": said.reply, "quoted": said.quoted}


def _attachment(part: Attachment) -> dict[str, object]:
    return {
        "name": part.name,
        "content_type": part.content_type,
        "size": part.size,
        "content_id": part.content_id,
        "inline": part.inline,
    }


def _report(report: Report) -> dict[str, object]:
    return {
        "kind": report.kind.value,
        "recipients": [
            {
                "address": one.address,
                "action": one.action,
                "status": one.status,
                "diagnostic": one.diagnostic,
            }
            for one in report.recipients
        ],
    }
