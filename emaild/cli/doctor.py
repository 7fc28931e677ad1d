"""`emaild doctor`: every mailbox and way out tried for real, step by step; nothing is sent, taken or changed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from emaild.cli.findings import exit_code, finding_json, print_finding, print_step
from emaild.cli.output import json_line, plain
from emaild.cli.registry import Add
from emaild.cli.state import become_owner, settings_of
from emaild.clock import SystemClock
from emaild.errors import UsageError
from emaild.jobs.examine import Finding, Place, Section, examined
from emaild.log.setup import set_up
from emaild.net.oauth import Sealed
from emaild.net.peer import peer_of
from emaild.settings.load import Settings
from emaild.settings.log import Verbosity
from emaild.settings.mailbox import MailboxSection
from emaild.settings.way_out import ServerType, WayOutSection


def register(add: Add) -> None:
    """The command of this module."""
    made = add("doctor", _doctor, "try every mailbox and way out step by step, and say what is wrong; sends nothing")
    made.add_argument("section", nargs="?", metavar="SECTION", help="only this one, even where it rests")
    made.add_argument("--json", action="store_true", help="one object a line and section")


def _doctor(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments.conf)
    chosen = _chosen(settings, arguments)
    quiet(settings, chosen)
    become_owner(settings.emaild.state_directory)
    tried = [one for one in chosen if arguments.section or not _rests(settings, one)]
    places = places_of(settings, tried)
    findings: list[Finding] = []
    found = examined(places)
    for section in chosen:
        if section not in tried:
            _print_resting(section, as_json=arguments.json)
            continue
        _, finding = next(found)
        findings.append(finding)
        _print(section, finding, as_json=arguments.json)
        sys.stdout.flush()
    if not arguments.json:
        print(_summary(findings, len(chosen)))
    return exit_code(findings)


def quiet(settings: Settings, sections: Sequence[Section]) -> None:
    """What goes well is told by the steps, and not in events as well; unless a section is to be debugged."""
    debugged = any(section.enable_debug for section in sections)
    if not debugged and settings.log.verbose is not Verbosity.NONE:
        set_up(replace(settings.log, verbose=Verbosity.STANDARD), sys.stderr)


def places_of(settings: Settings, sections: Sequence[Section]) -> Iterator[Place]:
    """The sections, with what it takes to try them: tokens are kept as the daemon keeps them."""
    sealed, clock = Sealed(settings.emaild.state_directory), SystemClock()
    for section in sections:
        yield Place(section=section, proxy=settings.proxy_for(section), sealed=sealed, clock=clock)


def title(section: Section) -> str:
    """What is tried, in one line."""
    if isinstance(section, MailboxSection):
        what, who, where = section.type.value, section.mailbox, section.server
    else:
        what, who, where = section.server_type.value.upper(), section.user, section.server
        where = str(section.eml_directory or "") if section.server_type is ServerType.EML else where
    if what in ("IMAP", "POP3", "SMTP"):
        where = str(peer_of(section))
    return plain(f"[{section.name}] {' '.join(filter(None, (what, who, 'at' if who and where else '', where)))}")


def _chosen(settings: Settings, arguments: argparse.Namespace) -> list[Section]:
    every: list[Section] = settings.servers()
    if not arguments.section:
        return every
    found = [section for section in every if section.name.lower() == arguments.section.lower()]
    if not found:
        there = ", ".join(section.name for section in every) or "none"
        raise UsageError(f"no mailbox or way out {arguments.section} in {arguments.conf}; there are: {there}")
    return found


def _rests(settings: Settings, section: Section) -> bool:
    used = settings.used_ways_out() if isinstance(section, WayOutSection) else settings.read_mailboxes()
    return section.name not in used


def _print_resting(section: Section, *, as_json: bool) -> None:
    if as_json:
        json_line({"section": section.name, "rests": True, "works": None, "steps": []})
    else:
        print(f"{title(section)}: rests, not tried\n")


def _print(section: Section, finding: Finding, *, as_json: bool) -> None:
    if as_json:
        json_line({"section": section.name, "rests": False, **finding_json(finding)})
        return
    print(title(section))
    for step in finding.steps:
        print_step(step)
    print_finding(finding)
    print(flush=True)


def _summary(findings: Sequence[Finding], count: int) -> str:
    bad = sum(not finding.works for finding in findings)
    resting = count - len(findings)
    told = [f"{len(findings) - bad} of {len(findings)} work"]
    if resting:
        told.append(f"{resting} {'rests' if resting == 1 else 'rest'}")
    return "; ".join(told) if count else "there is no mailbox and no way out yet"
