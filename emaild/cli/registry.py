"""The command line's parser, and how a module of commands registers them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from emaild.errors import UsageError


class Parser(argparse.ArgumentParser):
    """argparse with our exit code for a wrong command line, and one line for it."""

    mixed = False
    """Whether options may stand between a command's arguments; argparse has it for what has no commands below it."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[argparse.Namespace, list[str]]:  # type: ignore[override]
        """As argparse does."""
        if not self.mixed:
            return super().parse_known_args(args, namespace)
        self.mixed = False  # it asks this method in its turn
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self.mixed = True

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; '{self.prog} --help' shows what there is")


class Add(Protocol):
    """Adds a command; its parser is returned for more arguments. `--conf` is there already."""

    def __call__(self, name: str, does: Callable[[argparse.Namespace], int], help: str) -> Parser: ...
