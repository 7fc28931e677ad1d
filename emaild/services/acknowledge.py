"""Acknowledge: the sender of a mail is told that it came.

Source: the objects "Acknowledgement" of Genesys's routing and "Email Response" of Composer; RFC 3834.
"""

from __future__ import annotations

from datetime import datetime

from emaild.message import Subtype
from emaild.services.answer import automatic_answer
from emaild.services.office import Office, Plan
from emaild.settings.services import AcknowledgeParameters


def plan(parameters: AcknowledgeParameters, office: Office, now: datetime) -> Plan:
    """A standard response, or a text, to the one who wrote; see `services.call.planned`."""
    return automatic_answer(parameters, office, now, Subtype.OUTBOUND_ACKNOWLEDGEMENT)
