"""The lines of a mail as they must be on the wire (RFC 5321 §2.3.8, §4.5.2)."""

from __future__ import annotations

import re


def crlf(raw: bytes) -> bytes:
    """The mail with CRLF at the end of every line, the last one too; the same bytes where they are so already.

    A bare CR or LF is the end of a line to some servers, and so a dot beside it the end of the mail (SMTP smuggling).
    """
    pairs = raw.count(b"\r\n")
    if raw.count(b"\r") != pairs or raw.count(b"\n") != pairs:
        raw = re.sub(rb"\r\n|\r|\n", b"\r\n", raw)
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"


def stuffed(raw: bytes) -> bytes:
    """The mail, which `crlf` made, with a further dot where a line begins with one."""
    if raw.startswith(b"."):
        raw = b"." + raw
    return raw.replace(b"\r\n.", b"\r\n..")
