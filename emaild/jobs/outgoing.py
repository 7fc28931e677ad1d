"""A mail out as the outbox takes it, with what is remembered of it for threads."""

from __future__ import annotations

from datetime import datetime

from emaild.jobs.threads import answered, subject_matches
from emaild.message import Facts, Outbound, new_id
from emaild.mime import headers
from emaild.mime.parts import parsed
from emaild.render.compose import Composed
from emaild.settings.processing import ProcessingSection
from emaild.settings.properties import MimeProperties

READING = MimeProperties()


def outgoing(mail: Composed, way_out: str, processing: ProcessingSection, now: datetime) -> Outbound:
    """The mail with a new id, to leave by the section *way_out*.

    Its In-Reply-To and References say which mails it answers, Auto-Submitted (RFC 3834 §5) whether a person wrote it.
    """
    header = parsed(mail.raw, READING).header
    replied = headers.message_ids(header, "In-Reply-To")
    answers = Facts(in_reply_to=replied[0] if replied else None, references=headers.message_ids(header, "References"))
    subject = headers.field(header, "Subject", READING)
    return Outbound(
        id=new_id(now),
        way_out=way_out,
        sender=mail.sender,
        recipients=mail.recipients,
        message_id=mail.message_id,
        raw=mail.raw,
        answers=tuple(answered(answers)),
        automatic=headers.word(header, "Auto-Submitted") not in ("", "no"),
        subject_matches=subject_matches(subject, processing.subject_threading_substrings),
    )
