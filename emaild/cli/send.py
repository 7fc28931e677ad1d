"""`emaild send`: a mail into the outbox, whether the daemon runs or not."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from emaild import fault_points
from emaild.cli.in_the_way import in_the_way, unused
from emaild.cli.registry import Add
from emaild.cli.state import opened, settings_of, warn_of_no_daemon
from emaild.errors import ConfigError, InputError, StoreFailed, UsageError
from emaild.fault_points import FaultPoint
from emaild.jobs.outgoing import outgoing
from emaild.net.loading import loaded
from emaild.render.compose import Composed, Draft, Enclosed, author_of, compose
from emaild.render.finished import adopt
from emaild.render.templates import rendered
from emaild.settings.load import Settings
from emaild.settings.routes import COMMAND_LINE, Caller, Wanted, claiming
from emaild.settings.way_out import WayOutSection
from emaild.store import Store


def register(add: Add) -> None:
    """The command of this module."""
    made = add("send", _send, "put a mail into the outbox and print its id")
    made.add_argument("file", nargs="?", metavar="FILE.eml", help="a finished mail; - for standard input")
    made.add_argument("--from", dest="sender", metavar="ADDRESS")
    for name in ("--to", "--cc", "--bcc"):
        made.add_argument(name, action="append", default=[], metavar="ADDRESS", help="may be repeated")
    made.add_argument("--subject", default="")
    made.add_argument("--text", default="", help="the plain text")
    made.add_argument("--html", default="", help="the HTML")
    made.add_argument("--attach", action="append", default=[], type=Path, metavar="FILE", help="may be repeated")
    made.add_argument("--header", action="append", default=[], metavar="NAME:VALUE", help="may be repeated")
    made.add_argument("--batch", action="store_true", help="nobody waits for it: what people wait for goes first")
    made.add_argument("--way-out", metavar="SECTION", help="the [smtp-client...] section to send by")
    made.add_argument(
        "--test", nargs=2, metavar=("SECTION", "ADDRESS"), help="send a test mail by that way out at once, step by step"
    )
    made.add_argument("--queue", action="store_true", help="with --test: by the outbox, as all other mails")


def _send(arguments: argparse.Namespace) -> int:
    if arguments.queue and not arguments.test:
        raise UsageError("--queue is for --test; all other mails go by the outbox in any case")
    settings = settings_of(arguments.conf)
    now = datetime.now(UTC)
    make = _test_mail if arguments.test else _finished_mail if arguments.file else _composed_mail
    mail, way = make(settings, arguments, now)
    fault_points.reached(FaultPoint.COMPOSED)
    outbound = outgoing(mail, way, settings.processing, now, _caller(arguments))
    if arguments.test and not arguments.queue:
        # With it come all adapters, for which no other mail need wait.
        _, why = _tester(way, arguments)
        if words := unused(way.name, settings):
            print(f"emaild: {words}; this test mail goes all the same", file=sys.stderr)
        return int(loaded("emaild.cli.direct").sent_now(settings, way, outbound, why))
    with opened(settings, must_exist=False) as store:
        store.outbox.add(outbound, now)
        fault_points.reached(FaultPoint.QUEUED)
        hindrance = _hindrance(way, store, settings)
    print(outbound.id)
    if hindrance:
        print(f"emaild: the mail waits: {hindrance}", file=sys.stderr)
    if sys.stderr.isatty():  # a program that sends may well run before the daemon
        warn_of_no_daemon(settings)
    return os.EX_OK


def _hindrance(way: WayOutSection, store: Store, settings: Settings) -> str:
    """Why it does not go at once; the mail is safe, so a store that cannot be read just now is no failure."""
    with contextlib.suppress(StoreFailed):
        return in_the_way(way.name, store, settings)
    return ""


def _finished_mail(settings: Settings, arguments: argparse.Namespace, now: datetime) -> tuple[Composed, WayOutSection]:
    written = arguments.sender or arguments.subject or arguments.text or arguments.html or arguments.attach
    if written or arguments.header:
        raise UsageError("a finished mail says for itself what these options would; give a file or the options")
    domain = settings.processing.default_domain
    mail = adopt(_read(arguments.file), now=now, domain=domain, recipients=_people(arguments))
    return mail, _way_out(settings, arguments, mail.sender)


def _composed_mail(settings: Settings, arguments: argparse.Namespace, now: datetime) -> tuple[Composed, WayOutSection]:
    if not arguments.sender:
        raise UsageError("--from is needed, or a file with a finished mail")
    way = _way_out(settings, arguments, author_of(arguments.sender))
    draft = Draft(
        sender=arguments.sender,
        to=tuple(arguments.to),
        cc=tuple(arguments.cc),
        bcc=tuple(arguments.bcc),
        subject=arguments.subject,
        text=arguments.text,
        html=arguments.html,
        headers=tuple(_header(line) for line in arguments.header),
        attachments=tuple(Enclosed(name=file.name, content=_read(str(file))) for file in arguments.attach),
    )
    return compose(draft, now=now, domain=settings.processing.default_domain, writing=way.mime), way


def _test_mail(settings: Settings, arguments: argparse.Namespace, now: datetime) -> tuple[Composed, WayOutSection]:
    section, address = arguments.test
    way = _named(settings, section, arguments.conf)
    sender, _ = _tester(way, arguments)
    folders = settings.emaild.template_folders
    values = {"now": now, "way_out": way.name, "server": f"{way.server}:{way.port}"}
    text = rendered("notices/test-mail.txt", folders, values)
    draft = Draft(sender=sender, to=(address,), subject=f"Test mail from emaild [{way.name}]", text=text)
    return compose(draft, now=now, domain=settings.processing.default_domain, writing=way.mime), way


def _tester(way: WayOutSection, arguments: argparse.Namespace) -> tuple[str, str]:
    """From whom a test mail is, and why from him where nobody named him."""
    another = "--from names another"
    if way.sender_override:
        return way.sender_override, "the section's sender-override"
    if arguments.sender:
        return arguments.sender, ""
    if "@" in way.user:
        return way.user, f"the section's user; {another}"
    for sender in way.senders:
        if not sender.startswith("@"):
            return sender, f"of the section's senders; {another}"
    return arguments.test[1], f"the recipient's own, for the section names none; {another}"


def _way_out(settings: Settings, arguments: argparse.Namespace, sender: str) -> WayOutSection:
    """The section that is named, else the one for that sender."""
    if arguments.way_out is not None:
        return _named(settings, arguments.way_out, arguments.conf)
    wanted = Wanted(sender=sender, caller=_caller(arguments))
    if _asks(settings, wanted):
        return _chosen(settings)
    way = settings.way_out_for(wanted)
    if way is None:
        raise ConfigError((f"{arguments.conf}:1: there is no way out; add an [smtp-client] section with a server",))
    return way


def _named(settings: Settings, name: str, conf: Path) -> WayOutSection:
    by_name = {known.lower(): way for known, way in settings.ways_out.items()}
    if name.lower() not in by_name:
        there = ", ".join(settings.ways_out) or "none"
        raise UsageError(f"no way out {name} in {conf}; there are: {there}")
    return by_name[name.lower()]


def _caller(arguments: argparse.Namespace) -> Caller:
    return Caller(name=COMMAND_LINE, interactive=not arguments.batch)


def _asks(settings: Settings, wanted: Wanted) -> bool:
    """Whether somebody sits there who can choose, and has something to choose from."""
    left_open = wanted.caller.interactive and not settings.processing.interactive_way_out
    several = left_open and len(_open_ways(settings)) > 1 and not claiming(wanted, settings.ways_out.values())
    return several and sys.stdin.isatty() and sys.stderr.isatty()


def _open_ways(settings: Settings) -> list[WayOutSection]:
    """Those that do not rest: nobody chooses that his mail waits."""
    return [way for way in settings.ways_out.values() if way.enable_client]


def _chosen(settings: Settings) -> WayOutSection:
    ways = {str(number): way for number, way in enumerate(_open_ways(settings), 1)}
    for number, way in ways.items():
        print(
            f"{number}  {way.name} ({way.server_type} {way.eml_directory or way.server}".rstrip() + ")", file=sys.stderr
        )
    print("By which way out? (interactive-way-out answers this for good) ", end="", file=sys.stderr, flush=True)
    said = sys.stdin.buffer.readline().decode("utf-8", "replace").strip()
    if said not in ways:
        raise UsageError(f"expected a number from 1 to {len(ways)}, found {said[:40]!r}; nothing was sent")
    return ways[said]


def _people(arguments: argparse.Namespace) -> list[str]:
    return [*arguments.to, *arguments.cc, *arguments.bcc]


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise UsageError(f"--header {line!r}: expected NAME:VALUE")
    return name.strip(), value.strip()


def _read(path: str) -> bytes:
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    return content
