"""What the log says of a try."""

from __future__ import annotations

from datetime import datetime

from emaild.diagnosis import diagnose_receipt
from emaild.log import events
from emaild.message import OutboundState, RecipientState
from emaild.store.tries import Tried


def tell(section: str, tried: Tried, state: OutboundState, now: datetime) -> None:
    """One event for those who got it, one for those who never will, one for those who wait."""
    mail, receipts, server = tried.leased.mail, tried.delivery.receipts, tried.delivery.server
    attempt = mail.attempts + 1
    by_state = {kind: [one for one in receipts if one.state is kind] for kind in RecipientState}
    if sent := by_state[RecipientState.SENT]:
        events.outbound_sent(
            section=section, outbound=mail.id, message_id=mail.message_id, recipients=len(sent), attempt=attempt
        )
    if failed := by_state[RecipientState.FAILED]:
        found = diagnose_receipt(failed[0], server)
        events.outbound_failed(
            section=section,
            outbound=mail.id,
            recipients=[one.address for one in failed],
            reply=failed[0].code,
            reason=failed[0].text,
            cause=found.cause if found else "",
            remedy=found.remedy if found else "",
        )
    if not (waiting := by_state[RecipientState.WAITING]):
        return
    first = waiting[0]
    found = diagnose_receipt(first, server)
    cause = found.cause if found else ""
    if state is OutboundState.DEFERRED and tried.retry_at is not None:
        events.outbound_deferred(
            section=section,
            outbound=mail.id,
            reply=first.code,
            reason=first.text,
            cause=cause,
            retry_in=(tried.retry_at - now).total_seconds(),
            attempt=attempt,
        )
    else:
        events.outbound_expired(
            section=section,
            outbound=mail.id,
            recipients=[one.address for one in waiting],
            reason=f"{first.code} {first.text}".strip(),
            cause=cause,
        )
