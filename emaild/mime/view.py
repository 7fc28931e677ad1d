"""A mail's bytes -> its facts."""

from __future__ import annotations

from emaild.message import Attachment, Facts
from emaild.mime import headers
from emaild.mime.charset import decoded
from emaild.mime.parts import Part, leaves, parsed
from emaild.settings.properties import MimeProperties


def facts(raw: bytes, reading: MimeProperties = MimeProperties()) -> Facts:
    """Everything that the mail says, as *reading* has it read. Whatever is missing or broken is empty in the result."""
    mail = parsed(raw, reading)
    message = mail.header
    texts: list[str] = []
    htmls: list[str] = []
    attachments: list[Attachment] = []
    for part in leaves(mail, reading):
        if part.kind in ("text/plain", "text/html") and not _is_attachment(part, reading):
            (texts if part.kind == "text/plain" else htmls).append(_text(part, reading))
        else:
            attachments.append(_attachment(part, len(attachments) + 1, reading))
    ids = headers.message_ids(message, "Message-ID")
    replied = headers.message_ids(message, "In-Reply-To")
    senders = headers.addresses(message, "From", reading)
    return Facts(
        subject=headers.field(message, "Subject", reading),
        sender=senders[0] if senders else "",
        to=headers.addresses(message, "To", reading),
        cc=headers.addresses(message, "Cc", reading),
        message_id=ids[0] if ids else None,
        in_reply_to=replied[0] if replied else None,
        references=headers.message_ids(message, "References"),
        date=headers.date(message),
        text="\n".join(texts),
        html="\n".join(htmls),
        attachments=tuple(attachments),
    )


def _is_attachment(part: Part, reading: MimeProperties) -> bool:
    return part.header.get_content_disposition() == "attachment" or bool(headers.file_name(part.header, reading))


def _text(part: Part, reading: MimeProperties) -> str:
    label = headers.parameter(part.header, "Content-Type", "charset", reading)
    return decoded(part.content(reading), label, reading.charset).replace("\r\n", "\n")


def _attachment(part: Part, number: int, reading: MimeProperties) -> Attachment:
    content_id = headers.field(part.header, "Content-ID", reading)
    return Attachment(
        name=headers.file_name(part.header, reading) or _default_name(part.kind, number),
        content_type=part.kind,
        size=len(part.content(reading)),
        content_id=content_id.strip("<>") or None,
        inline=part.header.get_content_disposition() == "inline" or bool(content_id),
    )


def _default_name(kind: str, number: int) -> str:
    """A name for a part that has none."""
    return f"part-{number}.{'eml' if kind == 'message/rfc822' else kind.partition('/')[2]}"
