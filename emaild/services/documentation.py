"""The services as programs and people are told of them, made from their declarations."""

from __future__ import annotations

from typing import Any

from emaild.settings.option import Option, options
from emaild.settings.services import GROUPS, SERVICES, SPELLINGS, ServiceParameters

GROUP_HELP = {
    "FieldCodes": "The value of the field code NAME; Contact.NAME and the like come before what the mail says.",
    "Headers": "A header field of that name for the mail, unless it is forbidden.",
    "AttachedData": "The new interaction's attached data under that key; field codes see them too.",
}


def described() -> list[dict[str, Any]]:
    """All services: method, aliases, help, and parameters with name, aliases, help, expects, default, required."""
    return [
        {
            "method": service.kind.name,
            "aliases": list(service.aliases),
            "help": service.kind.help,
            "parameters": [*map(_parameter, options(service)), *_groups(service)],
        }
        for service in SERVICES
    ]


def _parameter(one: Option) -> dict[str, Any]:
    return {
        "name": one.name,
        "aliases": [other for other, own in SPELLINGS.items() if own == one.name],
        "help": one.help,
        "expects": one.parser.expects,
        "default": one.default,
        "required": one.required,
    }


def _groups(service: type[ServiceParameters]) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{group}.NAME",
            "aliases": [f"{other}.NAME" for other, own in SPELLINGS.items() if own == group],
            "help": GROUP_HELP[group],
            "expects": "a text",
            "default": "",
            "required": False,
        }
        for group, field in GROUPS.items()
        if field in service.__dataclass_fields__
    ]
