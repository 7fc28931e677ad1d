"""When a mail that a server put off is tried again, and for how long a way that does not work rests.

What the server says decides: RFC 5321 §4.5.4.1 leaves the waits to the sender. Greylisters let a mail in after one to
five minutes as a rule (RFC 6647 §3, Postgrey's default is five), so a first wait above that is enough, and a mail is
not kept waiting for an hour because a second try came too early. A full mailbox stays so for hours.
"""

from __future__ import annotations

from collections.abc import Sequence

from emaild.diagnosis import Diagnosis, Wait, Who, asked_delay, diagnose_receipt, kind_of_wait
from emaild.errors import Busy, RemoteError
from emaild.message import Delivery, Receipt, RecipientState
from emaild.retry import Backoff
from emaild.settings.sending import SendingOptions
from emaild.sinks.smtp_replies import CLOSING

GREYLISTED = 390.0  # seconds; five minutes, and the random part that a Backoff takes off
FULL = 4  # times retry-maximum: how long a full mailbox is left alone at most
OURS = (Who.US, Who.SERVER)  # whom it concerns when all mails are to wait, and not those of one recipient


def wait_after(delivery: Delivery, failures: int, section: SendingOptions, since: float | None = None) -> float:
    """Seconds until the next try: when the first of those who wait may be tried, the others come along.

    *failures* is how often the mail was tried, the first time *since* seconds ago; None: all came when they were due.
    """
    waiting = [one for one in delivery.receipts if one.state is RecipientState.WAITING]
    return min((_wait(one, delivery.server, failures, section, since) for one in waiting), default=0.0)


def _wait(receipt: Receipt, server: str, failures: int, section: SendingOptions, since: float | None) -> float:
    first, longest = section.retry_first, section.retry_maximum
    asked = asked_delay(receipt.code, receipt.text) or 0.0
    match kind_of_wait(receipt.code, receipt.text, server=server):
        case Wait.GREYLISTED:
            first = min(asked or GREYLISTED, longest)
        case Wait.FULL:
            first, longest = longest, FULL * longest
    backoff = Backoff(first=first, maximum=longest)
    if since is not None:  # tries that a person had come early do not make the waits longer
        failures = min(failures, backoff.most_failures(since))
    return max(asked, backoff.delay(failures))


def overload(delivery: Delivery) -> Busy | None:
    """That the server wants less mail of us, where it says that of the mail and not of one recipient; else None.

    Its `retry_after` is what the server asks for, 0 where it names no time.
    """
    receipts = delivery.receipts
    if any(one.state is not RecipientState.WAITING for one in receipts):
        return None
    for one in receipts:
        found = diagnose_receipt(one, delivery.server)
        throttled = kind_of_wait(one.code, one.text, server=delivery.server) is Wait.THROTTLED
        if throttled and found is not None and found.who in OURS:
            asked = asked_delay(one.code, one.text) or 0.0
            return Busy(delivery.server, "hand over a mail", f"{one.code} {one.text}".strip(), asked)
    return None


def ends_session(delivery: Delivery) -> bool:
    """Whether the server ended the connection in the middle of the mail (421, RFC 5321 §3.8)."""
    return any(one.code == str(CLOSING) for one in delivery.receipts)


def least_rest(error: RemoteError, found: Diagnosis | None, section: SendingOptions) -> float:
    """Seconds for which a way rests at least that failed with *error*.

    Trying at once what only a person can put right (a wrong password, a name that is not there) helps nobody and may
    lock an account; a server that is asked too much must not be asked again at once.
    """
    throttled = kind_of_wait("", error.reason, server=error.where) is Wait.THROTTLED
    of_a_person = not error.temporary or (found is not None and found.who is Who.US)
    asked = asked_delay("", error.reason) or 0.0
    return max(asked, section.retry_first if throttled or of_a_person else 0.0)


def first_trouble(receipts: Sequence[Receipt]) -> Receipt | None:
    """What is told of a try first: a refusal, else one that is put off; None: all went well."""
    bad = [one for one in receipts if one.state is not RecipientState.SENT]
    return next((one for one in bad if one.state is RecipientState.FAILED), bad[0] if bad else None)
