"""A mail's bytes -> its facts."""

from __future__ import annotations

from collections.abc import Iterator
from email import policy
from email.message import Message
from email.parser import BytesParser

from emaild.message import Attachment, Facts
from emaild.mime import headers
from emaild.mime.charset import decoded


def facts(raw: bytes) -> Facts:
    """Everything that the mail says. Whatever is missing or broken in it is empty in the result."""
    message = _parsed(raw)
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


def _parsed(raw: bytes) -> Message:
    """The whole mail; where the library gives up, as on a thousand nested parts, its header, the rest as one part."""
    parser = BytesParser(policy=policy.compat32)
    try:
        return parser.parsebytes(raw)
    except Exception:  # noqa: BLE001  (it fails in many ways on what is no mail)
        return parser.parsebytes(raw, headersonly=True)


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
    return headers.parameter(part, "Content-Disposition", "filename") or headers.parameter(part, "Content-Type", "name")


def _content(part: Message) -> bytes:
    """The decoded bytes of a leaf; of an enclosed mail or report, its own bytes."""
    try:
        if part.is_multipart():
            return b"".join(inner.as_bytes() for inner in _inner(part))
        content = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001  (as above)
        plain = part.get_payload()
        content = plain.encode("utf-8", "surrogateescape") if isinstance(plain, str) else b""
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    return decoded(_content(part), headers.parameter(part, "Content-Type", "charset")).replace("\r\n", "\n")


def _attachment(part: Message, number: int) -> Attachment:
    kind = part.get_content_type()
    content_id = headers.field(part, "Content-ID")
    return Attachment(
        name=_name(part) or _default_name(kind, number),
        content_type=kind,
        size=len(_content(part)),
        content_id=content_id.strip("<>") or None,
        inline=part.get_content_disposition() == "inline" or bool(content_id),
    )


def _default_name(kind: str, number: int) -> str:
    """A name for a part that has none."""
    return f"part-{number}.{'eml' if kind == 'message/rfc822' else kind.partition('/')[2]}"
