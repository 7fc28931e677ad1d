"""`emaild import`: an export of Genesys's options into a conf file."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from emaild.cli.registry import Add
from emaild.disk import written
from emaild.errors import StateUnusable, UsageError
from emaild.settings.exports.conversion import convert, masked_passwords
from emaild.settings.exports.forms import read_export, read_file
from emaild.settings.ini import Fault

HELP = "a Genesys options export (XML, CSV or INI) into a conf file that 'emaild check' accepts"
DETAILS = (
    "What cannot be taken over stands as a comment in the conf file, its reason above it, and is told on standard"
    " error. That is a whole section where it would not work without what is wrong, or reach another server, sign in"
    " another way, or stay unencrypted. Masked passwords are refused (exit 65), and nothing is written then. The conf"
    " file holds the export's passwords as they are."
)


def register(add: Add) -> None:
    """The command of this module."""
    made = add("import", _import, HELP)
    made.description = f"{HELP}. {DETAILS}"
    made.add_argument("file", type=Path, metavar="FILE", help="the export; its form is told by its content")
    made.add_argument(
        "--output", type=Path, metavar="PATH", help="write the conf file there, mode 0600; else to standard output"
    )
    made.add_argument("--force", action="store_true", help="replace a file that is there already")


def _import(arguments: argparse.Namespace) -> int:
    sections, faults = read_export(arguments.file, read_file(arguments.file))
    masked = masked_passwords(sections)
    if masked:
        _tell(masked)
        return os.EX_DATAERR
    made = convert(sections, faults, arguments.file.name)
    content = made.text.encode()
    if arguments.output is None:
        sys.stdout.buffer.write(content)
    else:
        _write(arguments.output, content, replace=arguments.force)
    _tell(made.told)
    return os.EX_OK


def _tell(faults: Iterable[Fault]) -> None:
    for fault in faults:
        # A name of an export may hold what would play with the terminal.
        print(
            "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(fault)),
            file=sys.stderr,
        )


def _write(path: Path, content: bytes, *, replace: bool) -> None:
    """The whole file or nothing, and nobody else can read it at any moment.

    Raises:
        UsageError: it is there already, and not to be replaced.
        StateUnusable: it cannot be written.
    """
    try:
        with written(path.absolute().parent, content, f".{path.name}.") as made:
            if replace:
                os.replace(made, path)
            else:
                os.link(made, path)  # unlike a rename, it fails where something is there
    except FileExistsError:
        raise UsageError(f"{path} is there already; --force replaces it") from None
    except OSError as error:
        raise StateUnusable(f"cannot write {path}: {error.strerror}") from error
