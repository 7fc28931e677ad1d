"""Whether a mail is a bounce, by what its subject and its text say, and what lies in it."""

from __future__ import annotations

import re
from collections.abc import Collection

from emaild.message import Facts
from emaild.mime.automatic import is_absence
from emaild.mime.bounce.failures import FAILED
from emaild.mime.bounce.original import Original
from emaild.mime.bounce.phrases import CHALLENGE, OPENING
from emaild.mime.bounce.recipients import CODE, Failing
from emaild.mime.bounce.subjects import SUBJECT_FAILED

HEAD = 6_000  # characters of a report in which it must say that something failed
OPENS = 3_000
PASSED_ON = re.compile(
    r"^\s*\[|^\W{0,3}(?:re|aw|sv|vs|antw|fwd?|wg|tr|rv|rif|odp|vb|enc|i|r)(?:\[\d+\])?\s?:", re.IGNORECASE
)


def is_bounce(
    said: Facts, told: str, found: Collection[Failing], original: Original, *, by_daemon: bool, by_nobody: bool
) -> bool:
    """Whether what a mail says makes a bounce.

    The less its sender tells, the more its subject and its text must: *by_daemon* a mail system names itself as the
    sender, *by_nobody* it has a null sender (RFC 5321 §4.5.5), as absence notices have too.
    """
    subject, lines = said.subject[:500], [line[:500] for line in told[:HEAD].split("\n")]
    failed = SUBJECT_FAILED.search(subject) is not None
    coded = any(map(CODE.search, lines))
    if is_absence(subject) or (CHALLENGE.search("\n".join(lines)) and not failed and not coded):
        return False
    words = any(map(FAILED.search, lines))
    sure = any(one.sureness > 1 for one in found)
    opened = OPENING.search(" ".join(told[:OPENS].split())) is not None
    shaped = opened or (sure and coded)
    if by_daemon:
        return failed or (words and (shaped or sure or original.message_id is not None))
    if by_nobody:
        return words and (failed or shaped)
    # A person may write of a failure, quote one, or pass it on; so may a shop, a list and a help desk.
    known = original.message_id is not None or (sure and coded and opened)
    listed = any(name.lower().startswith("list-") for name, _ in said.headers)
    return failed and words and shaped and known and not listed and not PASSED_ON.search(subject)
