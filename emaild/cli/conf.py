"""`emaild check`, `emaild options`, `emaild show`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from emaild.cli.output import json_line, table
from emaild.cli.owner import as_owner
from emaild.cli.registry import Add
from emaild.clock import SystemClock
from emaild.errors import ConfigError, OperatorError, UsageError
from emaild.net.oauth.ending import endings
from emaild.render.response.checking import checked
from emaild.services import rule_checks
from emaild.settings.describe import FORMATS
from emaild.settings.describe.contents import EVERYTHING, find
from emaild.settings.describe.in_effect import in_effect
from emaild.settings.ini import Fault
from emaild.settings.load import Settings, load
from emaild.settings.option import section_kind
from emaild.settings.property_map import PROPERTIES
from emaild.settings.reader import SECTIONS, suggestion


def register(add: Add) -> None:
    """The commands of this module."""
    add("check", _check, "every wrong line of conf files and templates, as file:line: [section] option: what is wrong")
    listed = add("options", _options, "the reference of all options and of JavaMail's properties")
    listed.add_argument(
        "name",
        nargs="?",
        metavar="SECTION",
        help="only this section's options; or a property, the beginning of its name, or 'properties' for all of them",
    )
    listed.add_argument("--format", choices=sorted(FORMATS), default="text")
    shown = add("show", _show, "what is in effect, and where it comes from")
    shown.add_argument(
        "section", nargs="?", metavar="SECTION", help="only this section, with its protocol's properties"
    )
    shown.add_argument("--json", action="store_true", help="one object a line and option")


def _check(arguments: argparse.Namespace) -> int:
    settings = load(arguments.conf, outside_unit=True)
    faults, doubts = checked(settings.emaild.template_folders)
    faults += rule_checks.faults(settings)
    if faults:
        raise ConfigError(tuple(str(fault) for fault in faults))
    ending = _ending(settings, SystemClock().now())
    warnings = (
        *settings.warnings,
        *rule_checks.warnings(settings),
        *doubts,
        *ending,
        *_hidden(settings, arguments.conf),
    )
    counts = (
        _counted(len(settings.mailboxes), "mailbox", "mailboxes"),
        _counted(len(settings.ways_out), "way out", "ways out"),
        _counted(len(warnings), "warning", "warnings"),
    )
    print(f"{arguments.conf}: good ({', '.join(counts)})", flush=True)
    for warning in warnings:
        print(f"{warning} (warning)", file=sys.stderr)
    return os.EX_OK


def _hidden(settings: Settings, conf: Path) -> Iterator[str]:
    """What root may read, and the user whom the daemon runs as may not."""
    state = settings.emaild.state_directory
    if os.geteuid() != 0 or not state.is_dir():
        return
    try:
        with as_owner(state):
            load(conf, outside_unit=True)
    except OperatorError as error:
        for line in str(error).splitlines():
            yield f"for the owner of {state}, as whom the daemon runs: {line}"


def _ending(settings: Settings, now: datetime) -> Iterator[Fault]:
    """What applications prove themselves with, where its end is near or past."""
    for one in endings(settings.servers()):
        if one.is_near(now):
            yield Fault(settings.origins[one.section, one.option], one.section, one.option, one.words(now))


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _options(arguments: argparse.Namespace) -> int:
    contents = find(arguments.name) if arguments.name else EVERYTHING
    if contents is None:
        sections = [section_kind(kind).name for kind in SECTIONS]
        if arguments.name.lower().startswith("mail."):
            near = suggestion(arguments.name, [known.name for known in PROPERTIES.values()])
            raise UsageError(f"no property {arguments.name}{near}; 'emaild options properties' shows all of them")
        raise UsageError(f"no section {arguments.name}; there are {', '.join(sections)}, and properties")
    print(FORMATS[arguments.format](contents), end="")
    return os.EX_OK


def _show(arguments: argparse.Namespace) -> int:
    settings = load(arguments.conf, outside_unit=True)
    rows = in_effect(settings, arguments.section)
    if not rows:
        known = ", ".join(settings.sections())
        raise UsageError(f"no section {arguments.section} in {arguments.conf}; there are {known}")
    if arguments.json:
        for row in rows:
            json_line({name: getattr(row, name) for name in ("section", "option", "value", "category", "origin")})
        for order, file in enumerate(settings.files, start=1):
            json_line({"file": str(file), "order": order})
        return os.EX_OK
    cells = [
        (row.section, row.option, row.value, f"{row.category} ({row.mark})" if row.mark else row.category, row.origin)
        for row in rows
    ]
    table(("SECTION", "OPTION", "VALUE", "CATEGORY", "FROM"), cells, "")
    print("\nRead in this order:")
    for file in settings.files:
        print(f"  {file}")
    return os.EX_OK
