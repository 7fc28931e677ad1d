"""What no service answers by itself: automatic mail, and automatic mail that answers ours.

Source: RFC 3834 §2; the options enable-autowar-detect, autowar-*.
"""

from __future__ import annotations

from datetime import datetime

from emaild.jobs.understand import automatic_answers
from emaild.message import Interaction, InteractionState
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.office import Office

ANSWER = (("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "OOF, AutoReply"))
GENERATED = (("Auto-Submitted", "auto-generated"),)
"""What a mail says that no person wrote (RFC 3834 §5); the other is Exchange's ([MS-OXCMAIL] §2.1.3.2.14)."""


def answerable(entry: Interaction, office: Office, now: datetime) -> None:
    """Nothing, where a mail in may be answered without a person.

    Raises:
        ServiceFault: automatic-mail, auto-reply-war.
    """
    said, processing = entry.facts, office.settings.processing
    reason = said.automatic or ("report" if said.report else "")
    if not reason and entry.state is InteractionState.STOPPED and said.sender.lower() in office.own_addresses:
        reason = "our own"
    if reason:
        raise ServiceFault(
            FaultKind.AUTOMATIC_MAIL, f"the mail {entry.id} is automatic ({reason}); nobody waits for it"
        )
    sent = automatic_answers(office.store.known, processing, said, entry.thread_id, now)
    if sent >= processing.autowar_max_reply_count:
        raise ServiceFault(
            FaultKind.AUTO_REPLY_WAR,
            f"{sent} automatic mails went to {said.sender} of late; autowar-max-reply-count allows no more",
        )
