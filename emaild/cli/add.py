"""`emaild add`: from an address to a mailbox that the daemon reads, tried before anything is written."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from emaild.cli.add_choice import chosen, client_secret, is_complete
from emaild.cli.add_draft import Draft, found_of, kept, sections_of, signed_in_for
from emaild.cli.add_flags import add_flags
from emaild.cli.add_turn import turning
from emaild.cli.asking import Asking, secret_of_file, secret_of_input
from emaild.cli.discover import tell
from emaild.cli.doctor import quiet, title
from emaild.cli.findings import exit_code, finding_json, print_finding, print_step
from emaild.cli.output import json_line, plain, plain_lines
from emaild.cli.registry import Add
from emaild.cli.sign_in import Task, add_ways, consent_of, opens_browser, signed_in
from emaild.cli.state import become_owner, settings_to_change
from emaild.cli.taken_up import read_there
from emaild.clock import SystemClock
from emaild.errors import Conflict, UsageError
from emaild.jobs.examine import Finding, Section
from emaild.net.oauth import Sealed
from emaild.provision.account import Account, conf_text
from emaild.provision.discover.address import LONGEST_LOCAL
from emaild.provision.discover.found import Found
from emaild.provision.discover.search import discover
from emaild.settings import parse
from emaild.settings.load import Settings
from emaild.settings.mailbox import MailboxSection
from emaild.settings.secret import Secret

NOT_ALONE = re.compile(r"[\s,;<>*]")  # what separates addresses, surrounds one, or stands for any


def register(add: Add) -> None:
    """The command of this module."""
    made = add("add", _add, "set up a mailbox and its way out from an address: found, signed in to, tried, written")
    made.add_argument("address", metavar="ADDRESS", help="as anna@example.com")
    add_flags(made)
    add_ways(made)


def _add(arguments: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what lies about is taken away then, too
    if not _is_alone(arguments.address):
        raise UsageError(f"expected an address such as anna@example.com, found {arguments.address[:80]!r}")
    if arguments.password_file and arguments.password_stdin:
        raise UsageError("--password-file and --password-stdin are two passwords; give one of them")
    settings = settings_to_change(arguments.conf)
    quiet(settings, [])
    asking = Asking()
    there = _existing(settings, arguments.address)
    if there is not None and (there.uses_tokens or not arguments.oauth):
        raise Conflict(_already(settings, there, arguments))
    if there is not None:
        draft = turning(settings, arguments, there, _discovered(settings, arguments), asking)
    else:
        draft = _new(settings, arguments, asking)
    return _printed(draft, arguments) if arguments.dry_run else _done(draft, arguments, asking, new=there is None)


def _is_alone(text: str) -> bool:
    """Whether it is one address and nothing else, as it is to stand among the senders of a way out.

    It need not be one of the Internet: a server that is named may know anna@localhost.
    """
    local = text.rpartition("@")[0]
    return parse.is_address(text) and len(local) <= LONGEST_LOCAL and text.isprintable() and not NOT_ALONE.search(text)


def _existing(settings: Settings, address: str) -> MailboxSection | None:
    wanted = address.lower()
    boxes = settings.mailboxes.values()
    return next((box for box in boxes if wanted in (box.address.lower(), box.mailbox.lower())), None)


def _already(settings: Settings, box: MailboxSection, arguments: argparse.Namespace) -> str:
    place = next((str(place) for (name, _), place in settings.origins.items() if name == box.name), "")
    other = box.uses_tokens or arguments.password_file or arguments.password_stdin
    turn = "" if other else "; --oauth turns it from its password to a sign-in with a token"
    return f"[{box.name}] reads that mailbox already ({place}), so nothing was changed{turn}"


def _new(settings: Settings, arguments: argparse.Namespace, asking: Asking) -> Draft:
    wanted = arguments.address.lower()
    way = next((way for way in settings.ways_out.values() if wanted in map(str.lower, way.senders)), None)
    if way is not None and not arguments.smtp_server:
        arguments.no_smtp = True
        print(f"emaild: [{way.name}] sends for {arguments.address} already, and stays as it is", file=sys.stderr)
    found = None if is_complete(arguments) else _discovered(settings, arguments)
    account = chosen(arguments, found, asking, _taken(settings))
    secrets = _secrets(account, arguments, asking)
    return Draft(
        conf=arguments.conf,
        texts=lambda words: {account.file: conf_text(account, words)},
        secrets=secrets,
        sections=(account.box, *([account.way] if account.sending else [])),
    )


def _discovered(settings: Settings, arguments: argparse.Namespace) -> Found | None:
    """What is found of the address, told on standard error where standard output is for a program."""
    if arguments.client_id and arguments.authority and _existing(settings, arguments.address):
        return None
    outcome = discover(arguments.address, settings.discovery, settings.proxy_for(settings.discovery))
    with contextlib.redirect_stdout(sys.stderr if arguments.json or arguments.dry_run else sys.stdout):
        if outcome.found is not None:
            tell(outcome.found)
        else:
            print(f"Nothing was found of {arguments.address}; 'emaild discover --explain' shows what was asked.")
    return outcome.found


def _taken(settings: Settings) -> set[str]:
    return {name.lower().partition("-client-")[2] or name.lower().partition("-")[2] for name in settings.sections()}


def _secrets(account: Account, arguments: argparse.Namespace, asking: Asking) -> dict[str, str]:
    """By the names of their files; a dry run asks for none."""
    wanted = {}
    if account.has_password:
        wanted[account.password_file] = "" if arguments.dry_run else _password(account, arguments, asking)
    if account.application is not None and account.application.secret:
        wanted[account.secret_file] = "" if arguments.dry_run else client_secret(arguments, asking)
    return wanted


def _password(account: Account, arguments: argparse.Namespace, asking: Asking) -> str:
    if arguments.password_file:
        return secret_of_file(arguments.password_file, "--password-file")
    if arguments.password_stdin:
        return secret_of_input("--password-stdin")
    return asking.secret(f"Password of {account.reading.user}", "--password-file or --password-stdin")


def _printed(draft: Draft, arguments: argparse.Namespace) -> int:
    """What would be written, which is checked as far as it can be without a password."""
    for name, text in draft.final().items():
        if arguments.json:
            json_line({"file": str(draft.folder / name), "written": False, "text": text.decode()})
        else:
            print(f"# {draft.folder / name}\n{plain_lines(text.decode())}", end="")
    return os.EX_OK


def _done(draft: Draft, arguments: argparse.Namespace, asking: Asking, *, new: bool) -> int:
    draft.check_files()  # better told before somebody signs in
    tried = draft.settings()
    sections = sections_of(tried, draft.sections)
    with tempfile.TemporaryDirectory(prefix="emaild-add-") as folder:
        sealed = Sealed(Path(folder))
        tokens = _signed_in(tried, sections, arguments, Path(folder))
        findings = {} if arguments.no_check else _checked(tried, sections, sealed, arguments)
        failed = exit_code(findings.values())
        if failed and not arguments.anyway:
            return _not_written(draft, findings, arguments, failed)
        if not arguments.yes and asking.anybody:
            print("\n" + "\n".join(plain_lines(text.decode()) for text in draft.final().values()), file=sys.stderr)
            if not asking.yes("Write this?"):
                raise UsageError("nothing was written")
        tokens = {name: sealed.read(name) or token for name, token in tokens.items()}  # a try may have renewed it
        since = SystemClock().now()
        with kept(tried.emaild.state_directory, tokens):
            settings = draft.write()
    become_owner(settings.emaild.state_directory)
    files = ", ".join(str(draft.folder / name) for name in draft.final())
    if not arguments.json:
        print(plain(f"{files} is written: {' and '.join(f'[{name}]' for name in draft.sections)}"), flush=True)
    state, words = read_there(settings, sections[0].name, since, new=new)
    if arguments.json:
        json_line(_told(draft, findings, written=True) | {"daemon": state, "message": words})
    else:
        print(words)
    return os.EX_OK


def _signed_in(
    tried: Settings, sections: list[Section], arguments: argparse.Namespace, folder: Path
) -> dict[str, Secret]:
    """What people sign in with, kept in that folder alone, by its name there."""
    tokens = {}
    hint = f"; where {arguments.address} is signed in to by another name, that is --user"
    for name, (section, grant) in signed_in_for(sections).items():
        task = Task(section, consent_of(tried, grant), tried.proxy_for(section), folder, arguments.shared, hint)
        with contextlib.redirect_stdout(sys.stderr if arguments.json else sys.stdout):
            print(signed_in(task, arguments, opens=opens_browser(arguments)), flush=True)
        token = Sealed(folder).read(name)
        assert token is not None
        tokens[name] = token
    return tokens


def _checked(
    tried: Settings, sections: list[Section], sealed: Sealed, arguments: argparse.Namespace
) -> dict[str, Finding]:
    """What works, told step by step."""
    findings = {}
    for section, finding in found_of(tried, sections, sealed):
        findings[section.name] = finding
        if not arguments.json:
            print(title(section))
            for step in finding.steps:
                print_step(step)
            print_finding(finding)
            sys.stdout.flush()
    return findings


def _not_written(draft: Draft, findings: Mapping[str, Finding], arguments: argparse.Namespace, code: int) -> int:
    if arguments.json:
        json_line(_told(draft, findings, written=False) | {"daemon": None, "message": "it does not work"})
    else:
        print("emaild: it does not work yet, so nothing was written; --anyway writes it all the same", file=sys.stderr)
    return code


def _told(draft: Draft, findings: Mapping[str, Finding], *, written: bool) -> dict[str, object]:
    return {
        "sections": draft.sections,
        "files": [str(draft.folder / name) for name in draft.final()],
        "written": written,
        "works": all(finding.works for finding in findings.values()) if findings else None,
        "check": [{"section": name, **finding_json(finding)} for name, finding in findings.items()],
    }
