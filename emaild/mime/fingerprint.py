"""Whether two mails are the same, whichever way they took."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from emaild.mime import headers
from emaild.mime.limits import TooMuch
from emaild.mime.parts import Part, leaves, parsed
from emaild.settings.properties import MimeProperties

FIELDS = ("From", "Date", "Subject", "To", "Cc", "Message-ID")
WHITE_END = re.compile(rb"(?<![ \t\r])[ \t\r]++(?=\n|\Z)")


def fingerprint(raw: bytes, reading: MimeProperties = MimeProperties()) -> str:
    """The same for all copies of a mail, another for every other mail: 64 hexadecimal digits.

    What is added on the way, encodings, the ends of lines, and how parts lie in one another make no difference.
    """
    mail = parsed(raw, reading)
    try:
        parts: Sequence[Part] = leaves(mail, reading)
    except TooMuch:
        parts = (mail,)
    return fingerprint_of(mail, parts, reading)


def fingerprint_of(mail: Part, parts: Sequence[Part], reading: MimeProperties) -> str:
    """The fingerprint of a mail that has been taken apart already."""
    digest = hashlib.sha256()
    for name in FIELDS:
        _add(digest, " ".join(headers.field(mail.header, name, reading).split()).encode("utf-8", "replace"))
    for part in parts:
        _add(digest, part.kind.encode())
        _add(digest, headers.file_name(part.header, reading).encode("utf-8", "replace"))
        _add(digest, WHITE_END.sub(b"", part.content(reading)).rstrip())
    return digest.hexdigest()


def _add(digest: hashlib._Hash, said: bytes) -> None:
    """With its length in front, so that nothing can be moved from one to the next."""
    digest.update(b"%d:" % len(said))
    digest.update(said)
