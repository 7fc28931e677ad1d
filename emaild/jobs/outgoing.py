"""A mail out as the outbox takes it, with what is remembered of it for threads."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import datetime

from emaild.errors import InputError
from emaild.jobs.threads import answered, subject_matches
from emaild.message import Facts, Outbound, new_id
from emaild.mime import headers
from emaild.mime.parts import parsed
from emaild.mime.view import facts
from emaild.render.compose import Composed, sent_by
from emaild.settings.processing import ProcessingSection
from emaild.settings.properties import MimeProperties
from emaild.settings.routes import SELF, Caller
from emaild.settings.way_out import WayOutSection

READING = MimeProperties()
KIB = 1 << 10
MIB = 1024 * 1024


class TooBig(InputError):
    """A mail that is larger than its way out takes."""

    exit_code = os.EX_DATAERR


def outgoing(
    mail: Composed, way: WayOutSection, processing: ProcessingSection, now: datetime, caller: Caller = SELF
) -> Outbound:
    """The mail with a new id, to leave by that way, in the name that a sender-override says.

    Its In-Reply-To and References say which mails it answers, Auto-Submitted (RFC 3834 §5) whether a person wrote it.

    Raises:
        TooBig: it is larger than the way out takes.
        InputError: the way out takes no such recipient, or the sender-override is no address.
    """
    if override := caller.sender_override or way.sender_override:
        mail = sent_by(mail, override, way.mime)
    _check_recipients(mail.recipients, way)
    _check_size(mail.raw, way)
    header = parsed(mail.raw, READING).header
    replied = headers.message_ids(header, "In-Reply-To")
    answers = Facts(in_reply_to=replied[0] if replied else None, references=headers.message_ids(header, "References"))
    subject = headers.field(header, "Subject", READING)
    return Outbound(
        id=new_id(now),
        way_out=way.name,
        sender=mail.sender,
        recipients=mail.recipients,
        message_id=mail.message_id,
        raw=mail.raw,
        answers=tuple(answered(answers)),
        automatic=headers.word(header, "Auto-Submitted") not in ("", "no"),
        subject_matches=subject_matches(subject, processing.subject_threading_substrings),
        interactive=caller.interactive,
    )


def _check_recipients(recipients: Sequence[str], way: WayOutSection) -> None:
    """Office 365 refuses the whole mail for one recipient whose domain has no dot, and hours later as it may be."""
    single = [address for address in recipients if re.search(r"@[^.\[]*$", address)] if way.is_office_365 else []
    if single:
        raise InputError(
            f"{single[0]} has a domain without a dot, which Office 365 does not take; expected one as example.com, or"
            f" another way out than [{way.name}]"
        )


def _check_size(raw: bytes, way: WayOutSection) -> None:
    """Of the mail as it travels, and of its files decoded: base64 makes them a third larger."""
    if 0 < way.maximum_message_size < len(raw):
        raise TooBig(_too_big("the mail", len(raw), way, "maximum-message-size", way.maximum_message_size))
    limit = way.maximum_attachment_size
    if not limit or len(raw) <= limit:  # no file is larger than what it travels in
        return
    found = facts(raw)
    if found.wrapped:
        raise TooBig(f"the files in the mail cannot be measured ({found.wrapped}), and [{way.name}] limits their size")
    for file in found.attachments:
        if file.size > limit:
            raise TooBig(_too_big(f"the file {file.name!r}", file.size, way, "maximum-attachment-size", limit))


def _too_big(what: str, size: int, way: WayOutSection, option: str, limit: int) -> str:
    return f"{what} has {amount(size)}; [{way.name}] {option} is {amount(limit)}"


def amount(size: int) -> str:
    """A size as a person reads it, with the bytes, for two that differ must not read the same."""
    if size < KIB:
        return f"{size} bytes"
    return f"{size / MIB:.1f} MiB ({size} bytes)" if size >= MIB else f"{size / KIB:.1f} KiB ({size} bytes)"
