"""AutoResponse: a mail is answered without a person, and quoted.

Source: the objects "Autoresponse" of Genesys's routing and "Email Response" of Composer; RFC 3834.
"""

from __future__ import annotations

from datetime import datetime

from emaild.message import Subtype
from emaild.services.answer import automatic_answer
from emaild.services.office import Office, Plan
from emaild.settings.services import AutoResponseParameters


def plan(parameters: AutoResponseParameters, office: Office, now: datetime) -> Plan:
    """A standard response, or a text, to the one who wrote or to all; see `services.call.planned`."""
    return automatic_answer(parameters, office, now, Subtype.OUTBOUND_AUTO_RESPONSE, to_all=parameters.reply_to_all)
