"""What a receiver's answer means."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus

OF_ALL = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)  # 4xx that are not about one interaction
LONGEST_NUMBER = 9  # digits of seconds, some thirty years


class Verdict(Enum):
    """Whom an answer is about, and whether it is good."""

    TAKEN = "it has the interaction"
    REFUSED = "it does not want this interaction"
    GONE = "it wants no interaction any more"
    ELSEWHERE = "it sends us to another place"
    BROKEN = "it does not work just now"


def verdict(status: int) -> Verdict:
    """What a status means (RFC 9110 §15; for 410 and 429 Standard Webhooks, too)."""
    if 200 <= status < 300:
        return Verdict.TAKEN
    if 300 <= status < 400:
        return Verdict.ELSEWHERE
    if status == HTTPStatus.GONE:
        return Verdict.GONE
    return Verdict.REFUSED if 400 <= status < 500 and status not in OF_ALL else Verdict.BROKEN


def seconds_of(retry_after: str, now: datetime) -> float:
    """How long a receiver asks us to wait (RFC 9110 §10.2.3); 0 where it does not say, or not in these words."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:LONGEST_NUMBER])
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):  # TypeError: a time without a zone
        return 0.0
