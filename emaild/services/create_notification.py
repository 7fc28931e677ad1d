"""CreateNotification: somebody is told of an interaction of any medium.

Source: the objects "Create Notification" of Genesys's routing and "Email Response" of Composer ("Open Media").
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from emaild.message import Subtype
from emaild.services.guards import GENERATED
from emaild.services.mail import posted
from emaild.services.new_mail import new_mail
from emaild.services.office import Office, Plan
from emaild.settings.services import CreateNotificationParameters

PARENT = "ParentInteractionId"
"""Under this key the attached data name an interaction that is not looked for here."""


def plan(parameters: CreateNotificationParameters, office: Office, now: datetime) -> Plan:
    """A mail to To, but not to ourselves, where it would be told of again; see `services.call.planned`."""
    here, elsewhere = parameters.interaction_id, ""
    if parameters.open_media:
        here, elsewhere = elsewhere, here
    order, letter = new_mail(
        parameters, office, now, Subtype.OUTBOUND_NOTIFICATION, about=here, never=office.own_addresses
    )
    return posted(order, replace(letter, headers=GENERATED, user_data={PARENT: elsewhere} if elsewhere else {}))
