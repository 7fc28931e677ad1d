"""How long a server asks to be left alone, by its header field Retry-After."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

LONGEST = 3600.0  # seconds; a server that asks for more is asked again after that


def seconds_of(value: str, now: datetime | None, longest: float = LONGEST) -> float:
    """The seconds that a Retry-After field asks for: a number, or a date (RFC 9110 §10.2.3); 0 where it is neither.

    A date counts where *now* is given; what asks for more than *longest* comes to that.
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), longest)
    try:
        return min(max((parsedate_to_datetime(text) - now).total_seconds(), 0.0), longest) if now else 0.0
    except (ValueError, TypeError, OverflowError, IndexError):  # TypeError: a time without a zone
        return 0.0
