"""The command line knows which module has which command."""

from __future__ import annotations

import argparse
import importlib

import pytest

from emaild.cli.main import MODULES, parser
from emaild.cli.registry import Parser


def commands(made: Parser) -> list[str]:
    (found,) = (action for action in made._actions if isinstance(action, argparse._SubParsersAction))
    return list(found.choices)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_the_commands_that_are_listed(module: str) -> None:
    made: list[str] = []

    def add(name: str, does: object, help: str) -> argparse.ArgumentParser:
        made.append(name)
        return argparse.ArgumentParser()

    importlib.import_module(f"emaild.cli.{module}").register(add)
    assert tuple(made) == MODULES[module]


def test_help_and_a_wrong_command_show_all_of_them() -> None:
    everything = [name for names in MODULES.values() for name in names]
    assert commands(parser()) == commands(parser("--help")) == commands(parser("no-such")) == everything


def test_a_command_is_loaded_alone() -> None:
    assert commands(parser("send")) == ["send"]
