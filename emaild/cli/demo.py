"""`emaild demo`."""

from __future__ import annotations

import argparse
import importlib

from emaild.cli.registry import Add
from emaild.errors import InputError


def register(add: Add) -> None:
    """The command of this module."""
    add("demo", _demo, "the main job on a machine with no mail account: servers on loopback, real sample mails")


def _demo(arguments: argparse.Namespace) -> int:
    try:
        story = importlib.import_module("emaild.demo.story")  # its servers are an extra
    except ImportError as error:
        raise InputError(f"the demo needs the package {error.name}: pip install 'emaild[demo]'") from error
    return int(story.tell())
