"""What stands for a mail that cannot be taken apart (guide: Handling Unparsable E-Mails)."""

from __future__ import annotations

import re
from dataclasses import replace

from emaild.message import Attachment, Facts
from emaild.settings.processing import ProcessingSection

ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+|\"[^\"]*\"@[^\s@<>]+")
UNKNOWN_SUBJECT = "Unknown subject"
NAME = "Original message.eml"


def wrapping(said: Facts, reason: str, size: int, processing: ProcessingSection) -> Facts:
    """The wrapping message of a mail of *size* bytes, of whose header is read what *said* holds.

    The header stays as it is. Where no field of it can be read the subject is `Unknown subject`; where the sender is no
    address he is `unknown@` with default-domain. The guide puts the text together of a sentence, the reason and another
    sentence; here each is a line. The mail itself is its attachment.
    """
    domain = processing.default_domain or "localhost"
    text = (
        f"Error encountered during preprocessing of this message\n{reason}\n"
        "Original Incoming Email is attached to this Email"
    )
    return replace(
        said,
        subject=said.subject if said.headers else UNKNOWN_SUBJECT,
        sender=said.sender if ADDRESS.fullmatch(said.sender) else f"unknown@{domain}",
        text=text,
        html="",
        reply=text,
        quoted="",
        attachments=(Attachment(name=NAME, content_type="message/rfc822", size=size),),
        wrapped=reason,
    )
