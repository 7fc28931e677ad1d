"""Names of files as a mail says them, but that a name is no path and harms no terminal."""

from __future__ import annotations

import mimetypes
import re

LONGEST = 255  # characters
LOOKED_AT = 1000  # characters of a name
LONGEST_SUFFIX = 12
HARMFUL = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls, what turns the direction of the text that follows, and halves of characters."""
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
    last = re.split(r"[/\\]", name[-LOOKED_AT:].rstrip("/\\ "))[-1]
    kept = HARMFUL.sub("", "".join(" " if one.isspace() else one for one in last)).strip()
    if not kept.strip(". "):
        return ""
    stem, dot, suffix = kept.rpartition(".")
    if not dot or len(suffix) > LONGEST_SUFFIX:
        stem, dot, suffix = kept, "", ""
    return stem[: LONGEST - len(dot + suffix)] + dot + suffix


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
