"""The commands and their arguments; from an error to one line and an exit code (sysexits.h)."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from emaild import __version__
from emaild.cli.registry import Parser
from emaild.errors import ConfigError, OperatorError, StoreFailed

DEFAULT_CONF = Path("/etc/emaild/emaild.conf")
MODULES = {
    "run": ("run", "backup"),
    "demo": ("demo",),
    "conf": ("check", "options", "show"),
    "import_": ("import",),
    "send": ("send",),
    "doctor": ("doctor",),
    "login": ("login",),
    "add": ("add",),
    "remove": ("remove",),
    "discover": ("discover",),
    "fetch": ("fetch",),
    "call": ("call",),
    "inbox": ("inbox",),
    "outbox": ("outbox", "history"),
    "ways": ("ways", "mailboxes"),
    "inspect": ("inspect",),
    "preview": ("preview",),
    "provision": ("provision",),
}
"""The modules of commands, and theirs: only what a command line asks for is loaded, for some need half a second."""
INTERRUPTED = 128 + signal.SIGINT  # what a shell reports of a process that Ctrl-C ended


def parser(wanted: str = "") -> Parser:
    """The command line; of a command that is there nothing but that."""
    top = Parser(prog="emaild", description="Mailboxes in, interactions, a durable outbox out.")
    top.add_argument("--version", action="version", version=f"emaild {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)

    def add(name: str, does: Callable[[argparse.Namespace], int], help: str) -> Parser:
        made = commands.add_parser(name, help=help, description=help)
        made.set_defaults(does=does)
        made.add_argument(
            "--conf", type=Path, default=DEFAULT_CONF, metavar="PATH", help=f"the conf file (default: {DEFAULT_CONF})"
        )
        return made

    # What is loaded stays to the end: to look for garbage in it takes a fifth of the start, and as much of the exit.
    gc.disable()
    for module in [name for name, theirs in MODULES.items() if wanted in theirs] or MODULES:
        importlib.import_module(f"emaild.cli.{module}").register(add)
    gc.freeze()
    gc.enable()
    return top


def command(arguments: Sequence[str]) -> int:
    """Run one command line. Returns the exit code; nothing but a fault of ours leaves it as an exception."""
    try:
        chosen = parser(next(iter(arguments), "")).parse_args(arguments)
        code = chosen.does(chosen)
        sys.stdout.flush()
    except OperatorError as error:
        # Faults in conf files start with file:line, so that editors and people can jump there.
        print(error if isinstance(error, ConfigError) else f"emaild: {error}", file=sys.stderr)
        return error.exit_code
    except StoreFailed as error:
        print(f"emaild: the store cannot be used just now: {error}", file=sys.stderr)
        return os.EX_TEMPFAIL
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `emaild inbox | head`: the reader has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return os.EX_OK
    return int(code)
