"""A mail's bytes -> its attachments, with what they hold."""

from __future__ import annotations

from emaild.message import Attachment
from emaild.mime.contents import contents
from emaild.mime.limits import TooMuch
from emaild.mime.parts import leaves, parsed
from emaild.mime.view import PLAIN_PROCESSING
from emaild.mime.wrapping import NAME
from emaild.settings.processing import ProcessingSection
from emaild.settings.properties import MimeProperties


def files(
    raw: bytes, reading: MimeProperties = MimeProperties(), processing: ProcessingSection = PLAIN_PROCESSING
) -> tuple[tuple[Attachment, bytes], ...]:
    """The same attachments as `facts` says with the same *reading* and *processing*, each with its decoded bytes.

    That of a mail beyond a limit of `mime.limits` is the mail itself.
    """
    try:
        parts = leaves(parsed(raw, reading), reading)
    except TooMuch:
        return ((Attachment(name=NAME, content_type="message/rfc822", size=len(raw)), raw),)
    found = contents(parts, reading, uuencoded=processing.enable_extract_uuencoded_file, files_too=True)
    return tuple(zip(found.attachments, found.files, strict=True))
