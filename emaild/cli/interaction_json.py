"""An interaction as programs see it, in `emaild inspect --json` and `emaild inbox --json` alike."""

from __future__ import annotations

from emaild.cli.output import iso
from emaild.message import Attachment, Facts, Interaction, Report


def interaction_json(entry: Interaction, *, full: bool) -> dict[str, object]:
    """What a mail became; the texts only when *full*.

    `emaild inbox` sets what only a stored interaction has beside it: id, mailbox, received, queue, thread_id,
    parent_id, state. Message-IDs have their angle brackets, `date` is RFC 3339 in UTC.
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
        "rule": None,
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
