"""Bytes to text, whatever the label says."""

from __future__ import annotations

import codecs
import re

LABELS = {"unknown-8bit": "", "x-unknown": "", "default": "", "gb2312": "gb18030", "gbk": "gb18030"}
"""Labels that say nothing, or less than what is commonly meant by them."""
NO_CHARSETS = ("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape")  # codecs of Python's own

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def decoded(content: bytes, label: str | None, unlabelled: str = "") -> str:
    """Text from *content*; never fails: bytes that fit nothing become U+FFFD.

    *unlabelled* is the charset of what has no label and is not UTF-8.
    """
    name = (label or "").strip().strip("\"'").lower()
    named = LABELS.get(name, name)
    for candidate in (named, "utf-8", "" if named else unlabelled, "windows-1252"):
        try:
            if candidate:
                codec = codecs.lookup(candidate)
                if codec._is_text_encoding and codec.name not in NO_CHARSETS:
                    return LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", codec.decode(content, "strict")[0])
        except (LookupError, ValueError):
            continue
    return content.decode("utf-8", "replace")
