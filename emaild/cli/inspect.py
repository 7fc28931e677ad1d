"""`emaild inspect`: what mails in files would become, with no server and no store."""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from emaild.cli.known_ids import KnownIds
from emaild.cli.output import json_line, moment, table
from emaild.cli.registry import Add
from emaild.cli.state import settings_of
from emaild.documents.interaction import interaction_json
from emaild.errors import UsageError
from emaild.jobs.understand import Understanding, header_of, own_addresses
from emaild.message import Facts, Inbound, Interaction, Report, Understood
from emaild.mime.mbox import mails
from emaild.services.rules import first_fit
from emaild.settings.load import Settings
from emaild.settings.mailbox import MailboxSection
from emaild.settings.processing import ProcessingSection
from emaild.settings.secret import Secret

LARGEST = 100 << 20  # bytes of a mail; larger ones are told of instead of filling the memory
PIECE = 1 << 16  # bytes of a line of an mbox that are read at once
STANDARD_INPUT = "-"
Look = Callable[[Inbound], Sequence[Interaction]]
"""What a mail becomes."""

NO_MAILBOX = MailboxSection(name="", mailbox="", password=Secret(""), maximum_msg_size=0)


@dataclass(frozen=True)
class Inspected:
    """What became of one mail; or why nothing did, and the exit code for that. `number` counts the mails of an mbox."""

    file: str
    number: int | None
    interactions: Sequence[Interaction] = ()
    error: str | None = None
    exit_code: int = os.EX_OK


def register(add: Add) -> None:
    """The command of this module."""
    made = add("inspect", _inspect, "what mails in files would become, with no server and no store")
    made.add_argument("files", nargs="+", metavar="FILE", help=f"a mail, or many in a .mbox; {STANDARD_INPUT}: stdin")
    made.add_argument("--json", action="store_true", help="one object a line: for each file, of an mbox for each mail")
    made.add_argument("--mbox", action="store_true", help="every FILE is an mbox, whatever its name")
    made.add_argument(
        "--known-message-id",
        action="append",
        default=[],
        metavar="ID",
        help="a mail that is in the store, by its Message-ID; may be given several times",
    )
    made.add_argument("--mailbox", metavar="SECTION", help="read as this section of the conf file has it")
    made.set_defaults(conf=None, usual_conf=made.get_default("conf"))


def _inspect(arguments: argparse.Namespace) -> int:
    look = _look(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # JSON is UTF-8 (RFC 8259 §8.1); a terminal that cannot show a character shows another.
        sys.stdout.reconfigure(encoding="utf-8" if arguments.json else None, errors="replace")
    code = os.EX_OK
    for file in arguments.files:
        for found in _inspected(file, arguments.mbox or file.lower().endswith(".mbox"), look):
            code = max(code, found.exit_code)
            (_print_json if arguments.json else _print)(found)
    return code


def _look(arguments: argparse.Namespace) -> Look:
    known = KnownIds(frozenset(f"<{name.strip(' <>')}>" for name in arguments.known_message_id))
    if arguments.conf is None and arguments.mailbox is None:
        plain = _as_read_by(NO_MAILBOX, known, ProcessingSection(), frozenset(), "")
        return lambda mail: _understood(mail, plain).interactions
    conf = arguments.conf or arguments.usual_conf
    settings = settings_of(conf)
    section = NO_MAILBOX if arguments.mailbox is None else _section(settings, arguments.mailbox, conf)
    own, queue = own_addresses(settings.mailboxes.values()), settings.queue_for(section)
    understanding = _as_read_by(section, known, settings.processing, own, queue)
    return lambda mail: [_ruled(entry, settings) for entry in _understood(mail, understanding).interactions]


def _as_read_by(
    section: MailboxSection, known: KnownIds, processing: ProcessingSection, own: frozenset[str], queue: str
) -> Understanding:
    return Understanding(section, known, processing=lambda: processing, own_addresses=lambda: own, queue=lambda: queue)


def _ruled(entry: Interaction, settings: Settings) -> Interaction:
    """With the rule that would be applied to it; nothing of it is done."""
    rule = first_fit(settings.rules.values(), entry, settings)
    return entry if rule is None else replace(entry, rule=rule.name)


def _section(settings: Settings, name: str, conf: Path) -> MailboxSection:
    if name not in settings.mailboxes:
        there = ", ".join(settings.mailboxes) or "none"
        raise UsageError(f"no mailbox {name} in {conf}; there are: {there}")
    return settings.mailboxes[name]


def _inspected(file: str, as_mbox: bool, look: Look) -> Iterator[Inspected]:
    """The mails of a file, one after the other."""
    name = os.fsencode(file).decode("utf-8", "replace")
    try:
        with _opened(file) as stream:
            if as_mbox:
                lines = iter(lambda: stream.readline(PIECE), b"")
                for number, raw in enumerate(mails(lines, LARGEST), start=1):
                    yield _mail(name, number, raw, look)
            else:
                raw = stream.read(LARGEST + 1)
                yield _mail(name, None, raw if len(raw) <= LARGEST else None, look)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        yield Inspected(name, None, error=reason, exit_code=os.EX_NOINPUT)


def _opened(file: str) -> BinaryIO:
    return os.fdopen(os.dup(0), "rb") if file == STANDARD_INPUT else Path(file).open("rb")


def _mail(name: str, number: int | None, raw: bytes | None, look: Look) -> Inspected:
    if raw is None:
        reason = f"larger than {LARGEST >> 20} MiB; that is too large to look at"
        return Inspected(name, number, error=reason, exit_code=os.EX_NOINPUT)
    try:
        return Inspected(name, number, look(Inbound(key=name, raw=raw)))
    except Exception as fault:  # noqa: BLE001  (the other mails are to be seen all the same)
        place = traceback.extract_tb(fault.__traceback__)[-1]
        said = " ".join(f"{type(fault).__name__}: {fault}".split())[:300]
        reason = f"emaild itself fails on it, at {Path(place.filename).name}:{place.lineno}: {said}"
        return Inspected(name, number, error=reason, exit_code=os.EX_SOFTWARE)


def _understood(mail: Inbound, understanding: Understanding) -> Understood:
    """What the mail becomes; above the mailbox's maximum-msg-size its header, or what there is without attachments."""
    section, now = understanding.section, datetime.now(UTC)
    if not section.maximum_msg_size or len(mail.raw) <= section.maximum_msg_size:
        return understanding.interactions(mail, now)
    if section.enable_big_msg_stripping:
        return understanding.interactions(replace(mail, raw=mail.raw[: section.maximum_msg_size]), now)
    return understanding.header(replace(mail, raw=header_of(mail.raw)), len(mail.raw), now)


def _print_json(found: Inspected) -> None:
    shown = [interaction_json(entry, full=True) for entry in found.interactions]
    json_line({"file": found.file, "number": found.number, "error": found.error, "interactions": shown})


def _print(found: Inspected) -> None:
    name = found.file if found.number is None else f"{found.file}:{found.number}"
    if found.error is not None:
        print(f"emaild: {name}: {found.error}", file=sys.stderr)
    for entry in found.interactions:
        rows = [("file", name), *((label, value) for label, value in _rows(entry) if value)]
        table(("", ""), [*rows, *((f"  {key}", value) for key, value in entry.user_data.items())], "")
        print()


def _rows(entry: Interaction) -> Iterator[tuple[str, str]]:
    said = entry.facts
    yield "subtype", entry.subtype
    yield "subject", said.subject
    yield "from", f"{said.sender_personal} <{said.sender}>" if said.sender_personal else said.sender
    yield "to", ", ".join(said.to)
    yield "cc", ", ".join(said.cc)
    yield "date", moment(said.date)
    yield "automatic", said.automatic or ""
    yield "wrapped", said.wrapped or ""
    yield "rule", entry.rule or ""
    yield from _report_rows(said.report)
    yield from _attachment_rows(said)
    yield "user data", f"{len(entry.user_data)} keys"


def _report_rows(report: Report | None) -> Iterator[tuple[str, str]]:
    if report is not None:
        yield "report", report.kind.value
        for one in report.recipients:
            yield "  recipient", " ".join(filter(None, (one.address, one.action, one.status, one.diagnostic)))


def _attachment_rows(said: Facts) -> Iterator[tuple[str, str]]:
    for part in said.attachments:
        yield "attachment", f"{part.name} ({part.content_type}, {part.size} bytes{', inline' if part.inline else ''})"
