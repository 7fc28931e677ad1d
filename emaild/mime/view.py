"""A mail's bytes -> its facts."""

from __future__ import annotations

from dataclasses import replace

from emaild.message import Facts
from emaild.mime import headers
from emaild.mime.automatic import automatic
from emaild.mime.bounce import bounce
from emaild.mime.contents import Contents, contents
from emaild.mime.parts import Opened, Part, opened
from emaild.mime.quoting import apart
from emaild.mime.report import report
from emaild.mime.wrapping import UNKNOWN_SUBJECT, wrapping
from emaild.settings.processing import ProcessingSection
from emaild.settings.properties import MimeProperties

PLAIN_PROCESSING = ProcessingSection()


def facts(
    raw: bytes, reading: MimeProperties = MimeProperties(), processing: ProcessingSection = PLAIN_PROCESSING
) -> Facts:
    """Everything that the mail says, as *reading* has it read. Whatever is missing or broken is empty in the result.

    Of a mail beyond a limit of `mime.limits` it is what the wrapping message says.
    """
    return facts_of(opened(raw, reading), processing)


def facts_of(mail: Opened, processing: ProcessingSection = PLAIN_PROCESSING) -> Facts:
    """The facts of a mail that has been taken apart already."""
    whole, reading = mail.mail, mail.reading
    inside = Contents()
    if not mail.too_much:
        inside = contents(mail.parts, reading, uuencoded=processing.enable_extract_uuencoded_file)
    said = _said(whole, inside, reading)
    if mail.too_much:
        if whole.header_cut and not said.subject:
            said = replace(said, subject=UNKNOWN_SUBJECT)
        said = wrapping(said, mail.too_much, mail.size, processing)
    elif found := report(whole, mail.parts, said, reading) or bounce(whole, mail.parts, said, reading):
        said = replace(said, report=found)
    reason = automatic(said)
    return replace(said, automatic=reason) if reason else said


def _said(mail: Part, inside: Contents, reading: MimeProperties) -> Facts:
    """What the header and the parts say."""
    message = mail.header
    ids = headers.message_ids(message, "Message-ID")
    replied = headers.message_ids(message, "In-Reply-To")
    senders = headers.people(message, "From", reading)
    reply, quoted = apart(inside.text)
    return Facts(
        subject=headers.field(message, "Subject", reading),
        sender=senders[0][1] if senders else "",
        sender_personal=senders[0][0] if senders else "",
        reply_to=headers.addresses(message, "Reply-To", reading),
        to=headers.addresses(message, "To", reading),
        cc=headers.addresses(message, "Cc", reading),
        return_path=_return_path(mail, reading),
        message_id=ids[0] if ids else None,
        in_reply_to=replied[0] if replied else None,
        references=headers.message_ids(message, "References"),
        enclosed_ids=tuple(inside.enclosed_ids),
        date=headers.date(message),
        headers=headers.everything(message, reading),
        text=inside.text,
        html=inside.html,
        reply=reply,
        quoted=quoted,
        attachments=tuple(inside.attachments),
    )


def _return_path(mail: Part, reading: MimeProperties) -> str | None:
    """The envelope's sender as delivery noted it (RFC 5321 §4.4), empty for the null sender, None where it did not."""
    noted = headers.values(mail.header, "Return-Path")
    if not noted:
        return None
    return next(iter(headers.addresses(mail.header, "Return-Path", reading)), "") if noted[0].strip("<> ") else ""
