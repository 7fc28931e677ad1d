"""`emaild run`, `emaild backup`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from emaild import daemon
from emaild.cli.registry import Add
from emaild.cli.state import become_owner, check_store, settings_of
from emaild.errors import StateUnusable
from emaild.settings.load import load
from emaild.store.engine import FILE, back_up


def register(add: Add) -> None:
    """The commands of this module."""
    add("run", _run, "the daemon, in the foreground")
    backup = add("backup", _backup, "a consistent copy of the store, also while the daemon runs")
    backup.add_argument("file", type=Path, metavar="FILE", help="where to put it; an old file there is replaced")


def _run(arguments: argparse.Namespace) -> int:
    settings = load(arguments.conf)
    become_owner(settings.emaild.state_directory)
    daemon.run(arguments.conf.absolute(), settings)
    return os.EX_OK


def _backup(arguments: argparse.Namespace) -> int:
    directory = settings_of(arguments.conf).emaild.state_directory
    become_owner(directory)
    check_store(directory)
    folder = arguments.file.absolute().parent
    if not os.access(folder, os.W_OK):
        raise StateUnusable(
            f"{folder}: the owner of the state directory, as whom this command goes on, cannot write there; choose a"
            " folder where it can"
            if folder.is_dir()
            else f"{folder}: no such folder; the backup needs one that is there"
        )
    back_up(directory / FILE, arguments.file)
    return os.EX_OK
