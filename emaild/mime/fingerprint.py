"""Whether two mails are the same, whichever way they took."""

from __future__ import annotations

import hashlib
import re

from emaild.mime import headers
from emaild.mime.parts import Opened, opened
from emaild.settings.properties import MimeProperties

FIELDS = ("From", "Date", "Subject", "To", "Cc", "Message-ID")
LARGE = 1 << 20  # bytes: more could be millions of lines
WHITE_END = re.compile(rb"(?<![ \t\r])[ \t\r]++(?=\n)")


def fingerprint(raw: bytes, reading: MimeProperties = MimeProperties()) -> str:
    """The same for all copies of a mail, another for every other mail: 64 hexadecimal digits.

    What is added on the way, encodings, the ends of lines, and how parts lie in one another make no difference.
    """
    return fingerprint_of(opened(raw, reading))


def fingerprint_of(mail: Opened) -> str:
    """The fingerprint of a mail that has been taken apart already."""
    digest, reading = hashlib.sha256(), mail.reading
    for name in FIELDS:
        _add(digest, " ".join(headers.field(mail.mail.header, name, reading).split()).encode("utf-8", "replace"))
    for part in (mail.mail,) if mail.too_much else mail.parts:
        _add(digest, part.kind.encode())
        _add(digest, headers.file_name(part.header, reading).encode("utf-8", "replace"))
        _add(digest, _without_white_ends(part.content(reading)))
    return digest.hexdigest()


def _without_white_ends(content: bytes) -> bytes:
    """Each line without the white space at its end, and without empty lines at the end."""
    if len(content) > LARGE:
        return WHITE_END.sub(b"", content).rstrip()
    return b"\n".join([line.rstrip(b" \t\r") for line in content.split(b"\n")]).rstrip()


def _add(digest: hashlib._Hash, said: bytes) -> None:
    """With its length in front, so that nothing can be moved from one to the next."""
    digest.update(b"%d:" % len(said))
    digest.update(said)
