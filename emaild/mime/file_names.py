"""Names of files as a mail says them, but that a name is no path and harms no terminal."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from collections.abc import Iterable

LONGEST = 120  # characters; a file system takes 255 bytes, and a number may be added
LOOKED_AT = 1000  # characters of a name
LONGEST_SUFFIX = 12
NO_CHARACTERS = ("Cc", "Cf", "Cs", "Cn", "Co")  # controls; formats, which turn the direction of what follows; no text
PLAIN_SUFFIX = re.compile(r"[a-z0-9][a-z0-9-]{0,24}")
BUILT_IN = mimetypes.MimeTypes()  # without the machine's own lists, so that a name is the same everywhere
SUFFIXES = {
    "text/plain": ".txt", "text/html": ".html", "text/vcard": ".vcf", "text/x-vcard": ".vcf", "text/rtf": ".rtf",
    "text/rfc822-headers": ".txt", "image/jpeg": ".jpg", "image/jpg": ".jpg", "application/ms-tnef": ".dat",
    "application/octet-stream": ".bin", "message/rfc822": ".eml", "message/global": ".eml", "audio/mpeg": ".mp3",
}  # fmt: skip
NAMED = {
    "text/calendar": "invite.ics",
    "application/ics": "invite.ics",
    "application/pkcs7-mime": "smime.p7m",  # RFC 8551 §3.2.1
    "application/x-pkcs7-mime": "smime.p7m",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
    "application/pgp-signature": "signature.asc",
    "application/pgp-encrypted": "version.asc",  # RFC 3156 §4
    "application/pgp-keys": "keys.asc",
}
"""The names that are common for what has none."""


def safe(name: str) -> str:
    """The name without folders, control and direction characters, not too long; empty where nothing is left."""
    text = unicodedata.normalize("NFC", re.split(r"[/\\]", name[-LOOKED_AT:].rstrip("/\\ "))[-1])
    kept = "".join(one if not one.isspace() else " " for one in text if unicodedata.category(one) not in NO_CHARACTERS)
    kept = kept.strip().lstrip(".").rstrip(". ").lstrip()
    stem, dot, suffix = kept.rpartition(".")
    if not dot or len(suffix) > LONGEST_SUFFIX:
        stem, dot, suffix = kept, "", ""
    kept = stem[: LONGEST - len(dot + suffix)].rstrip() + dot + suffix
    while len(kept.encode("utf-8")) > 2 * LONGEST:
        stem = stem[:-10]
        kept = stem + dot + suffix
    return kept


def default(kind: str, number: int) -> str:
    """The name of a part of that media type that has none; *number*: which of the mail's attachments it is."""
    if kind in NAMED:
        return NAMED[kind]
    subtype = kind.partition("/")[2]
    own = f".{subtype}" if PLAIN_SUFFIX.fullmatch(subtype) else ".bin"
    return f"part-{number}{SUFFIXES.get(kind) or BUILT_IN.guess_extension(kind) or own}"


def kind(name: str) -> str:
    """The media type that a name's suffix stands for."""
    return BUILT_IN.guess_type(name.replace(":", "_"))[0] or "application/octet-stream"


def unique(names: Iterable[str]) -> list[str]:
    """The names in their order; one that came before, in whatever case, gets a number: `a.txt`, `a (2).txt`."""
    taken: dict[str, int] = {}
    found: list[str] = []
    for name in names:
        stem, dot, suffix = name.rpartition(".")
        candidate, number = name, taken.get(name.casefold(), 0)
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{stem} ({number}).{suffix}" if dot else f"{name} ({number})"
        taken[name.casefold()] = max(number, 1)
        taken.setdefault(candidate.casefold(), 1)
        found.append(candidate)
    return found
