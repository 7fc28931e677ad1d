"""`emaild login`: a person signs in, and what the authority gives for it is kept for the daemon."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from emaild.cli.output import plain
from emaild.cli.registry import Add
from emaild.cli.sign_in import Task, add_ways, consent_of, opens_browser, signed_in
from emaild.cli.state import become_owner, settings_of
from emaild.clock import SystemClock
from emaild.errors import RemoteError, StateUnusable, Unreachable, UsageError
from emaild.interrupts import bounded
from emaild.jobs.trial import remedy, trial
from emaild.log.setup import set_up
from emaild.net.oauth import Sealed
from emaild.net.oauth.grant import ServerSection, Way, grant_of
from emaild.settings.by_token import GrantType
from emaild.settings.load import Settings
from emaild.settings.log import Verbosity
from emaild.store.engine import make_directory, refused

LONGEST_TRIAL = 120.0  # seconds, whatever the server does


def register(add: Add) -> None:
    """The command of this module."""
    made = add("login", _login, "sign in for a section in a browser, so that the daemon gets tokens for it")
    made.add_argument("section", metavar="SECTION", help="a [pop-client...] or [smtp-client...] section")
    made.add_argument("--no-try", action="store_true", help="do not try the server with the new token")
    add_ways(made)


def _login(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments.conf)
    task = _task(settings, arguments)
    if not task.section.enable_debug and settings.log.verbose is not Verbosity.NONE:
        set_up(replace(settings.log, verbose=Verbosity.STANDARD), sys.stderr)  # what goes well is told in one line
    opens = opens_browser(arguments)
    _ready(task.kept)
    print(signed_in(task, arguments, opens=opens), flush=True)
    return os.EX_OK if arguments.no_try else _tried(task)


def _ready(directory: Path) -> None:
    """Be the owner of the state directory, which is made as `emaild run` makes it.

    Raises:
        StateUnusable: it cannot be made, or we may not write there; better told before somebody signs in.
    """
    become_owner(directory)
    is_new = not directory.exists()
    make_directory(directory)
    if is_new and os.geteuid() == 0:
        print(
            f"emaild: {directory} is made, and root's; systemd gives it to emaild, others do it by chown",
            file=sys.stderr,
        )
    if not os.access(directory, os.W_OK | os.X_OK):
        raise StateUnusable(refused(directory, PermissionError(0, "it cannot be written")))


def _tried(task: Task) -> int:
    """Try the server with what was kept, and say what came of it; the exit code."""
    name = task.section.name
    try:
        with bounded(LONGEST_TRIAL):
            steps = list(trial(task.section, proxy=task.proxy, sealed=Sealed(task.kept), clock=SystemClock()))
    except (RemoteError, TimeoutError) as error:
        wrong = error if isinstance(error, RemoteError) else Unreachable(name, "try", "it takes too long")
        why = plain("; ".join(filter(None, (str(wrong), remedy(wrong))))).replace("SECTION", name)
        print(f"emaild: the sign-in is kept, but [{name}] does not work yet: {why}", file=sys.stderr)
        return os.EX_TEMPFAIL if wrong.temporary else os.EX_UNAVAILABLE
    print(plain(f"[{name}] works: {', '.join(steps)}"))
    return os.EX_OK


def _task(settings: Settings, arguments: argparse.Namespace) -> Task:
    there = {section.name.lower(): section for section in settings.servers()}
    section = there.get(arguments.section.lower())
    if section is None:
        known = ", ".join(one.name for one in there.values() if _signed_in_for(one)) or "none"
        wrong = f"no section {arguments.section} with a server in {arguments.conf}"
        raise UsageError(f"{wrong}; those that somebody signs in for: {known}")
    grant = grant_of(section)
    if grant is None or not _signed_in_for(section):
        raise UsageError(f"[{section.name}] is not set up for this: it needs {' and '.join(_missing(section))}")
    kept = settings.emaild.state_directory
    return Task(section, consent_of(settings, grant), settings.proxy_for(section), kept, arguments.shared)


def _signed_in_for(section: ServerSection) -> bool:
    grant = grant_of(section)
    return grant is not None and grant.way is Way.SIGNED_IN


def _missing(section: ServerSection) -> list[str]:
    """What the section lacks so that somebody can sign in for it."""
    lacks = [] if section.grant_type is GrantType.AUTHORIZATION_CODE else ["grant-type = authorization_code"]
    lacks += [] if section.client_id else ["client-id"]
    if not section.uses_tokens:
        lacks.append(f"mail.{section.protocol_name}.auth.mechanisms = XOAUTH2")
    if section.service_account_file is not None:
        lacks.append("no service-account-file")
    return lacks
