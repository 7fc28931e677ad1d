"""What keeps mails from going round between a rule and whoever answers it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from emaild.errors import NotFound
from emaild.message import Interaction, Outbound, Subtype
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.office import Office
from emaild.settings.rule import RuleSection
from emaild.settings.service_parameters import service_named
from emaild.settings.services import (
    CreateEmailOutParameters,
    CreateNotificationParameters,
    ForwardParameters,
    RedirectParameters,
)
from emaild.store.interactions import Interactions
from emaild.store.writes import Writes

MADE = {
    CreateEmailOutParameters: Subtype.OUTBOUND_NEW,
    CreateNotificationParameters: Subtype.OUTBOUND_NOTIFICATION,
    ForwardParameters: Subtype.OUTBOUND_FORWARD,
    RedirectParameters: Subtype.OUTBOUND_REDIRECT,
}
"""What is made by services that do not look themselves whether they answer a robot."""


def goes_in_circles(rule: RuleSection, entry: Interaction, kept: Interactions) -> bool:
    """Whether the interaction is the answer to a mail that this very rule sent: its bounce, or an absence notice.

    The rule's answer to that would get one, too, and so on for ever.
    """
    service = service_named(rule.service)
    if service not in MADE or entry.parent_id is None:
        return False
    try:
        sent = kept.get(entry.parent_id)
        return sent.subtype == MADE[service] and kept.get(sent.parent_id or "").rule == rule.name
    except NotFound:
        return False


def counted(writes: Writes, entry: Interaction, office: Office, now: datetime) -> Writes:
    """The same, where a mail back to the one who wrote *entry* is counted as an automatic one: a rule sends it.

    Two rules in two places that write to each other in new threads answer nothing by name; this ends them, too.

    Raises:
        ServiceFault: auto-reply-war; the count is reached.
    """
    processing = office.settings.processing
    writers = {address.lower() for address in (entry.facts.sender, *entry.facts.reply_to) if address}
    if not processing.enable_autowar_detect or not any(_meets(mail, writers) for mail in writes.queued):
        return writes
    since = now - timedelta(seconds=processing.autowar_detect_period)
    sent = office.store.known.automatic_mails(writers, since, None)
    if sent >= processing.autowar_max_reply_count:
        wrong = f"{sent} mails went to {entry.facts.sender} of late without a person"
        raise ServiceFault(FaultKind.AUTO_REPLY_WAR, f"{wrong}; autowar-max-reply-count allows no more")
    queued = (replace(mail, automatic=mail.automatic or _meets(mail, writers)) for mail in writes.queued)
    return replace(writes, queued=tuple(queued))


def _meets(mail: Outbound, addresses: set[str]) -> bool:
    return any(address.lower() in addresses for address in mail.recipients)
