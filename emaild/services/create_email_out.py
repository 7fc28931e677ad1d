"""CreateEmailOut: a new mail to a customer or an agent.

Source: the objects "Create E-mail Out" of Genesys's routing and "Create E-mail" of Composer.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from emaild.message import Subtype
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.mail import posted, queue_of
from emaild.services.new_mail import new_mail
from emaild.services.office import Office, Plan
from emaild.settings.services import SEND, CreateEmailOutParameters


def plan(parameters: CreateEmailOutParameters, office: Office, now: datetime) -> Plan:
    """A mail to To; without CreateNewInteraction it is in the outbox only. See `services.call.planned`."""
    if not parameters.create_new_interaction and queue_of(parameters) != SEND:
        raise ServiceFault(
            FaultKind.WRONG_PARAMETER,
            f"CreateNewInteraction: without an interaction the mail goes out at once, so Queue must be {SEND}",
            "CreateNewInteraction",
        )
    order, letter = new_mail(parameters, office, now, Subtype.OUTBOUND_NEW, about=parameters.interaction_id)
    return posted(order, replace(letter, interaction=parameters.create_new_interaction))
