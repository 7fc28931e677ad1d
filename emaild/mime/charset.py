"""Bytes to text, whatever the label says."""

from __future__ import annotations

import codecs
import re

FALLBACKS = ("utf-8", "windows-1252")
LABELS = {"unknown-8bit": "", "x-unknown": "", "default": "", "gb2312": "gb18030", "gbk": "gb18030"}
"""Labels that say nothing, or less than what is commonly meant by them."""
NO_CHARSETS = ("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape")  # codecs of Python's own

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def decoded(content: bytes, label: str | None) -> str:
    """Text from *content*; never fails: bytes that fit nothing become U+FFFD."""
    name = (label or "").strip().strip("\"'").lower()
    for candidate in (LABELS.get(name, name), *FALLBACKS):
        try:
            if candidate:
                codec = codecs.lookup(candidate)
                if codec._is_text_encoding and codec.name not in NO_CHARSETS:
                    return LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", codec.decode(content, "strict")[0])
        except (LookupError, ValueError):
            continue
    return content.decode("utf-8", "replace")
