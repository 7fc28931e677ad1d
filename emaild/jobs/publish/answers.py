"""What a receiver's answer means."""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus

OF_ALL = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)  # 4xx that are not about one interaction


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
