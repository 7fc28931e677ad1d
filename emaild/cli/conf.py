"""`emaild check`, `emaild options`, `emaild show`."""

from __future__ import annotations

import argparse
import os
import sys
from enum import StrEnum
from pathlib import Path

from emaild.cli.output import json_line, table
from emaild.cli.registry import Add
from emaild.errors import UsageError
from emaild.settings.describe import FORMATS, find
from emaild.settings.load import SECTIONS, Settings, load
from emaild.settings.option import options, section_kind
from emaild.settings.secret import MASK, Secret


def register(add: Add) -> None:
    """The commands of this module."""
    add("check", _check, "every wrong line of the conf files, as file:line: [section] option: what is wrong")
    listed = add("options", _options, "the reference of all options")
    listed.add_argument("section", nargs="?", metavar="SECTION", help="only this section's")
    listed.add_argument("--format", choices=sorted(FORMATS), default="text")
    shown = add("show", _show, "what is in effect, and where it comes from")
    shown.add_argument("section", nargs="?", metavar="SECTION", help="only this section")
    shown.add_argument("--json", action="store_true", help="one object a line and option")


def _check(arguments: argparse.Namespace) -> int:
    settings = load(arguments.conf, outside_unit=True)
    for warning in settings.warnings:
        print(f"{warning} (warning)", file=sys.stderr)
    print(f"{arguments.conf}: good ({len(settings.mailboxes)} mailboxes, {len(settings.ways_out)} ways out)")
    return os.EX_OK


def _options(arguments: argparse.Namespace) -> int:
    kinds = find(arguments.section) if arguments.section else SECTIONS
    if not kinds:
        known = ", ".join(section_kind(kind).name for kind in SECTIONS)
        raise UsageError(f"no section {arguments.section}; there are {known}")
    print(FORMATS[arguments.format](kinds), end="")
    return os.EX_OK


def _show(arguments: argparse.Namespace) -> int:
    settings = load(arguments.conf, outside_unit=True)
    rows = [
        (name, option.name, shown(getattr(section, option.in_effect)), _origin(settings, name, option.name))
        for name, section in settings.sections().items()
        if arguments.section is None or name.lower() == arguments.section.lower()
        for option in options(type(section))
    ]
    if not rows:
        known = ", ".join(settings.sections())
        raise UsageError(f"no section {arguments.section} in {arguments.conf}; there are {known}")
    if arguments.json:
        for section, option, value, origin in rows:
            json_line({"section": section, "option": option, "value": value, "origin": origin})
    else:
        table(("SECTION", "OPTION", "VALUE", "FROM"), rows, "")
    return os.EX_OK


def shown(value: object) -> str:
    """A value as an operator could type it; a secret never."""
    match value:
        case None:
            return ""
        case Secret():
            return MASK
        case bool():
            return "true" if value else "false"
        case StrEnum():
            return value.value
        case float():
            return f"{value:g}s"
        case tuple():
            return ", ".join(map(str, value))
        case Path() | str() | int():
            return str(value)
    return str(value)


def _origin(settings: Settings, section: str, option: str) -> str:
    place = settings.origins.get((section, option))
    return str(place) if place else "default"
