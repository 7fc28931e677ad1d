"""A mail's bytes -> its facts."""

from __future__ import annotations

from collections.abc import Iterator
from email import policy
from email.message import Message
from email.parser import BytesParser
from email.utils import collapse_rfc2231_value

from emaild.message import Attachment, Facts
from emaild.mime import headers
from emaild.mime.charset import decoded


def facts(raw: bytes) -> Facts:
    """Everything that the mail says. Whatever is missing or broken in it is empty in the result."""
    message = BytesParser(policy=policy.compat32).parsebytes(raw)
    texts: list[str] = []
    htmls: list[str] = []
    attachments: list[Attachment] = []
    for part in _leaves(message):
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and not _is_attachment(part):
            (texts if kind == "text/plain" else htmls).append(_text(part))
        else:
            attachments.append(_attachment(part, len(attachments) + 1))
    ids = headers.message_ids(message, "Message-ID")
    replied = headers.message_ids(message, "In-Reply-To")
    senders = headers.addresses(message, "From")
    return Facts(
        subject=headers.field(message, "Subject"),
        sender=senders[0] if senders else "",
        to=headers.addresses(message, "To"),
        cc=headers.addresses(message, "Cc"),
        message_id=ids[0] if ids else None,
        in_reply_to=replied[0] if replied else None,
        references=headers.message_ids(message, "References"),
        date=headers.date(message),
        text="\n".join(texts),
        html="\n".join(htmls),
        attachments=tuple(attachments),
    )


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold something, in their order; an enclosed mail is one part and is not looked into."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            waiting.extend(reversed(_inner(part)))
        else:
            yield part


def _inner(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _is_attachment(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(_name(part))


def _name(part: Message) -> str:
    """The file name, by RFC 2231, or by the encoded words that many programs put there instead."""
    for header, parameter in (("content-disposition", "filename"), ("content-type", "name")):
        value = part.get_param(parameter, None, header)
        if value is not None:
            plain = collapse_rfc2231_value(value) if isinstance(value, tuple) else str(value)
            return headers.words(plain).replace("\r", "").replace("\n", "").strip()
    return ""


def _content(part: Message) -> bytes:
    """The decoded bytes of a leaf; of an enclosed mail or report, its own bytes."""
    if part.is_multipart():
        return b"".join(inner.as_bytes() for inner in _inner(part))
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    label = part.get_content_charset()
    return decoded(_content(part), label).replace("\r\n", "\n")


def _attachment(part: Message, number: int) -> Attachment:
    kind = part.get_content_type()
    content_id = part.get("Content-ID")
    return Attachment(
        name=_name(part) or _default_name(kind, number),
        content_type=kind,
        size=len(_content(part)),
        content_id=str(content_id).strip().strip("<>") if content_id else None,
        inline=part.get_content_disposition() == "inline" or bool(content_id),
    )


def _default_name(kind: str, number: int) -> str:
    """A name for a part that has none."""
    return f"part-{number}.{'eml' if kind == 'message/rfc822' else kind.partition('/')[2]}"
