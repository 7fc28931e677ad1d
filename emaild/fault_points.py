"""The places between two steps where the power may fail, each with a name.

A test sets EMAILD_KILL_AT to `NAME` or `NAME:N` and the process kills itself with SIGKILL when it gets there (for the
N-th time), as if the power had failed. Without the variable a fault point does nothing. The README's table of states
is held equal to this list.
"""

from __future__ import annotations

import os
import signal
import threading
from enum import Enum
from functools import cache

VARIABLE = "EMAILD_KILL_AT"


class FaultPoint(Enum):
    """Where; and what is true there."""

    FETCHED = ("inbound.fetched", "mails are in memory, nothing is stored")
    UNDERSTANDING = ("inbound.understanding", "a mail is marked as being looked at, nothing of it is stored")
    STORED = ("inbound.stored", "interactions and keys are committed, the server was not told")
    ACKNOWLEDGED = (
        "inbound.acknowledged",
        "the server has marked, moved or deleted them, the store does not know",
    )
    SETTLED = ("inbound.settled", "the store knows that the server was told")
    PLANNED = ("rules.planned", "what a rule's service makes is in memory, nothing of it is stored")
    RULED = ("rules.committed", "the new mail, the interaction's number and its rule are committed")
    COMPOSED = ("outbound.composed", "a mail is composed, nothing is stored, the caller has no answer")
    QUEUED = ("outbound.queued", "the mail is committed to the outbox, the caller has no answer yet")
    LEASED = ("outbound.leased", "the mail is marked as being sent, no byte went out")
    OFFERED = ("outbound.offered", "the recipients are accepted, the mail's bytes did not go out")
    ACCEPTED = ("outbound.accepted", "the server took the mail, the store does not know")
    RECORDED = ("outbound.recorded", "the receipts are committed")

    def __init__(self, label: str, meaning: str) -> None:
        self.label = label
        self.meaning = meaning


_counting = threading.Lock()
_passed: dict[FaultPoint, int] = {}


@cache
def _wanted() -> tuple[str, str]:
    """The label of a point, empty where none is asked for, and which time it is; looked up once."""
    name, _, count = os.environ.get(VARIABLE, "").partition(":")
    return name, count


def reached(point: FaultPoint) -> None:
    """Die here if a test asks for it."""
    name, count = _wanted()
    if name != point.label:
        return
    with _counting:
        _passed[point] = _passed.get(point, 0) + 1
        if _passed[point] == int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)
