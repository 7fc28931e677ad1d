"""Bytes to text, whatever the label says."""

from __future__ import annotations

import codecs

FALLBACKS = ("utf-8", "windows-1252")
LABELS = {"unknown-8bit": "", "x-unknown": "", "default": "", "gb2312": "gb18030", "gbk": "gb18030"}
"""Labels that say nothing, or less than what is commonly meant by them."""


def decoded(content: bytes, label: str | None) -> str:
    """Text from *content*; never fails: bytes that fit nothing become U+FFFD."""
    name = (label or "").strip().strip("\"'").lower()
    for candidate in (LABELS.get(name, name), *FALLBACKS):
        try:
            if candidate:
                codec = codecs.lookup(candidate)
                if codec._is_text_encoding:
                    return codec.decode(content, "strict")[0]
        except (LookupError, ValueError):
            continue
    return content.decode("utf-8", "replace")
