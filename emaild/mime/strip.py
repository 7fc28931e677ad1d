"""A mail without its attachments."""

from __future__ import annotations

import base64

from emaild.mime import headers
from emaild.mime.contents import sorted_out
from emaild.mime.limits import TooMuch
from emaild.mime.parts import Part, leaves, parsed
from emaild.settings.properties import MimeProperties

INSTEAD = b"This attachment was removed."
KEPT = {"text/rfc822-headers", "message/rfc822-headers", "message/global-headers", "message/feedback-report"}
KEPT |= {
    f"message/{glob}{kind}" for glob in ("", "global-") for kind in ("delivery-status", "disposition-notification")
}
"""What a report says is no file, and a mail without it were another."""


def without_attachments(raw: bytes, reading: MimeProperties = MimeProperties()) -> bytes:
    """The mail with a short text in place of the contents of each attachment; all else stays byte for byte.

    A mail may be cut off anywhere, in an attachment too. One beyond a limit of `mime.limits` stays as it is.
    """
    mail = parsed(raw, reading)
    try:
        parts = leaves(mail, reading)
    except TooMuch:
        return raw
    kept, end = [], 0
    for part, is_body in sorted_out(parts, reading):
        if not is_body and part.kind not in KEPT and part.at is not None and part.at >= end and part.body:
            kept += [raw[end : part.at], _instead(part)]
            end = part.at + len(part.body)
    return b"".join([*kept, raw[end:]])


def _instead(part: Part) -> bytes:
    """The text in the encoding that the part's header names."""
    is_base64 = headers.word(part.header, "Content-Transfer-Encoding") == "base64"
    return base64.b64encode(INSTEAD) if is_base64 else INSTEAD
