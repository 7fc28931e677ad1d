"""What field codes can name in a mail that a service writes.

Source: Genesys eServices, "Field Codes Reference Guide": interaction, contact and agent objects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emaild.message import Facts, Interaction
from emaild.render.field_codes import FieldCodeError, Scope, render
from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.given import placed
from emaild.render.field_codes.locales import locale as known_locale
from emaild.render.field_codes.locales import system_locale
from emaild.render.fields import UNPRINTABLE
from emaild.render.response import saved_codes
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.office import Office
from emaild.settings.load import Settings

LONGEST_NAME = 200  # characters of a person's name
LONGEST_LINE = 500  # characters; programs that write mails stop at 255
ZONE = re.compile(r"([+-]\d\d)(\d\d)\s*(?:\(.{0,100})?\Z")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a caller says beside the mail; `client` is what the contact said elsewhere, as in a chat."""

    agent: str = ""
    locale: str = ""
    field_codes: Mapping[str, str] = field(default_factory=dict)
    attached_data: Mapping[str, str] = field(default_factory=dict)
    client: Mapping[str, str] = field(default_factory=dict)


def scope_of(about: Interaction | None, said: Surroundings, office: Office, now: datetime) -> Scope:
    """The values for a mail about that interaction. Those of FieldCodes come before what it says.

    Raises:
        ServiceFault: wrong-parameter; an agent or a field code is wrong.
    """
    objects: dict[str, dict[str, Any]] = {
        "interaction": _interaction(about) if about else {},
        "contact": _contact(about.facts if about else Facts(), said.client),
        "agent": _agent(said.agent, office.settings),
        "": dict(saved_codes(office.folders)),
    }
    for name, text in said.field_codes.items():
        try:
            holder, own, value = placed(name, text)
        except Wrong as wrong:
            raise ServiceFault(FaultKind.WRONG_PARAMETER, f"FieldCodes.{name}: {wrong}", f"FieldCodes.{name}") from None
        objects[holder] = {known: was for known, was in objects[holder].items() if known.lower() != own.lower()}
        objects[holder][own] = value
    return Scope(
        interaction=objects["interaction"],
        contact=objects["contact"],
        agent=objects["agent"],
        custom=objects[""],
        attached_data={**(about.user_data if about else {}), **said.attached_data},
        locale=said.locale,
        now=now.astimezone(),
    )


def locale_of(given: str, settings: Settings) -> str:
    """The locale that is given, else fieldcode-format-locale, else this machine's.

    Raises:
        ServiceFault: wrong-parameter; there is none of that name.
    """
    name = given or settings.processing.fieldcode_format_locale or system_locale()
    try:
        known_locale(name)
    except Wrong as wrong:
        raise ServiceFault(FaultKind.WRONG_PARAMETER, f"Locale: {wrong}", "Locale") from None
    return name


def filled(text: str, scope: Scope, parameter: str) -> str:
    """A text on one line, its field codes filled.

    Raises:
        ServiceFault: wrong-parameter; a field code in it is wrong, or it is too long.
    """
    try:
        line = " ".join(UNPRINTABLE.sub(" ", render(text, scope)).split())
    except FieldCodeError as error:
        raise ServiceFault(FaultKind.WRONG_PARAMETER, f"{parameter}: {error}", parameter) from None
    if len(line) > LONGEST_LINE:
        wrong = f"{parameter}: it has {len(line)} characters; {LONGEST_LINE} are allowed"
        raise ServiceFault(FaultKind.WRONG_PARAMETER, wrong, parameter)
    return line


def _interaction(entry: Interaction) -> dict[str, object]:
    said = entry.facts
    return {
        "Id": entry.id,
        "DateCreated": entry.received,
        "Subject": said.subject,
        "ToAddress": ", ".join(said.to),
        "FromAddress": said.sender,
        "TimeZone": _zone(said),
    }


def _zone(said: Facts) -> str:
    """As Genesys writes it: GMT+01.00."""
    written = next((value for name, value in said.headers if name.lower() == "date"), "")
    found = ZONE.search(written.strip()[-150:])
    return f"GMT{found[1]}.{found[2]}" if found and int(found[1] + found[2]) else "GMT"


def _contact(said: Facts, client: Mapping[str, str]) -> dict[str, object]:
    """The one who wrote a mail; *client* is what is known better."""
    first, last = _names(said.sender_personal)
    first, last = client.get("FirstName", first)[:LONGEST_NAME], client.get("LastName", last)[:LONGEST_NAME]
    address = client.get("EmailAddress", "") or said.sender
    return {
        "FirstName": first,
        "LastName": last,
        "FullName": f"{first} {last}".strip(),
        "PrimaryEmailAddress": address,
        "EmailAddresses": [address] if address else [],
    }


def _names(personal: str) -> tuple[str, str]:
    """First and last name: of `Ann Lee`, of `Lee, Ann`, of `Ann` alone; an address is no name."""
    name = " ".join(UNPRINTABLE.sub(" ", personal).split())[:LONGEST_NAME]
    if "@" in name:
        return "", ""
    last, comma, first = (part.strip() for part in name.partition(","))
    if comma and first and "," not in first:
        return first, last
    first, _, last = name.partition(" ")
    return first, last


def _agent(given: str, settings: Settings) -> dict[str, object]:
    name = given or settings.processing.autobot_agent_login_name
    agent = settings.agent(name) if name else None
    if agent is None:
        if name:
            raise ServiceFault(
                FaultKind.WRONG_PARAMETER, f"Agent: there is no section [agent-{name[:LONGEST_NAME]}]", "Agent"
            )
        return {}
    return {
        "FirstName": agent.first_name,
        "LastName": agent.last_name,
        "FullName": agent.full_name,
        "Signature": agent.signature,
    }
