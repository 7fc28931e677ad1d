"""The services as programs and people are told of them, made from their declarations."""

from __future__ import annotations

from typing import Any

from emaild.settings.option import Option, options
from emaild.settings.services import GROUP_HELP, GROUPS, SERVICES, SPELLINGS, ServiceParameters


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
