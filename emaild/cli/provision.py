"""`emaild provision`: accounts from a Windows provisioning document, and a document from a mailbox."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from emaild.cli.output import plain
from emaild.cli.registry import Add
from emaild.errors import InputError, UsageError
from emaild.provision.conf_files import NotTakenBack, changing
from emaild.provision.email2.answer import answer
from emaild.provision.email2.client import provisioned
from emaild.provision.email2.commands import package_of
from emaild.provision.email2.drafts import RollBackFailed
from emaild.provision.email2.exporting import exported
from emaild.provision.email2.folder import ConfFolder
from emaild.provision.email2.outcomes import outcomes
from emaild.provision.email2.tree import LARGEST, DocumentUnreadable, tree
from emaild.provision.email2.writing import FORMATS
from emaild.services import rule_checks
from emaild.settings.load import load

STANDARD_INPUT = "-"


def register(add: Add) -> None:
    """The command of this module."""
    made = add("provision", _provision, "accounts from a Windows provisioning document (EMAIL2), and the way back")
    made.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help=f"a SyncML document (OMA DM), or a wap-provisioningdoc (OMA Client Provisioning); {STANDARD_INPUT}: stdin."
        " The answer, a Status for each command, is printed; what is wrong goes to standard error",
    )
    made.add_argument(
        "--export", metavar="SECTION", help="print a document for this mailbox and its way out, no secrets"
    )
    made.add_argument("--format", choices=sorted(FORMATS), default="syncml", help="of the document for --export")


def _provision(arguments: argparse.Namespace) -> int:
    if (arguments.file is None) == (arguments.export is None):
        raise UsageError("expected a FILE, or --export SECTION")
    if arguments.export is not None:
        return _export(arguments)
    root = tree(_content(arguments.file))
    if root.tag not in ("SyncML", "SyncBody", "wap-provisioningdoc"):
        raise DocumentUnreadable(f"expected SyncML or wap-provisioningdoc, found {root.tag[:40]!r}")
    with changing(arguments.conf, rule_checks.faults) as files:
        carried_out = _client if root.tag == "wap-provisioningdoc" else _managed
        try:
            wrong = carried_out(root, ConfFolder(files))
        except RollBackFailed as error:
            raise NotTakenBack(str(error)) from error
    _tell(wrong)
    return os.EX_DATAERR if wrong else os.EX_OK


def _managed(root: Element, folder: ConfFolder) -> Sequence[str]:
    """OMA DM: the answer is a document. Returns what is wrong."""
    package = package_of(root)
    found = [*outcomes(package, folder)]
    print(answer(package, found).decode("ascii"), end="", flush=True)
    _tell(folder.done)
    return [f"{one.command.name} {one.command.number}: {line}" for one in found for line in one.words]


def _client(root: Element, folder: ConfFolder) -> Sequence[str]:
    """OMA Client Provisioning: the answer is text. Returns what is wrong."""
    told = provisioned(root, folder)
    for line in (*folder.done, *told.answers) or ("nothing was done" if told.wrong else "nothing to change",):
        print(plain(line), flush=True)
    return told.wrong


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        print(plain(line), file=sys.stderr)


def _export(arguments: argparse.Namespace) -> int:
    document = exported(load(arguments.conf, outside_unit=True), arguments.export)
    print(FORMATS[arguments.format](document.guid, document.nodes), end="")
    sys.stdout.flush()
    _tell(document.unsaid)
    return os.EX_OK


def _content(file: str) -> bytes:
    """A document, no more of it than there may be."""
    try:
        if file == STANDARD_INPUT:
            return sys.stdin.buffer.read(LARGEST + 1)
        with Path(file).open("rb") as opened:
            return opened.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
