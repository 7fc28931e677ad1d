"""The tree of errors is the one that is drawn above it."""

from __future__ import annotations

import inspect
import os
import re

from emaild import errors
from emaild.errors import ConfigError, EmaildError, OperatorError, RemoteError

DRAWN = re.findall(r"([│ ]*)[├└]── (\w+) +\S.*?(?:\((\d+), (EX_\w+)\)|$)", errors.__doc__ or "", re.MULTILINE)
CLASSES = {name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, EmaildError)}


def test_every_error_is_drawn_and_nothing_else() -> None:
    assert {name for _, name, _, _ in DRAWN} | {"EmaildError"} == CLASSES.keys()


def test_an_error_hangs_where_it_is_drawn() -> None:
    parents = {0: EmaildError}
    for indent, name, _, _ in DRAWN:
        depth = len(indent.strip("\n")) // 4
        assert CLASSES[name].__base__ is parents[depth - 1 if depth > 1 else 0], name
        parents[depth] = CLASSES[name]


def test_an_exit_code_is_the_one_of_sysexits_that_is_drawn() -> None:
    for _, name, number, code in DRAWN:
        if code:
            kind = CLASSES[name]
            assert issubclass(kind, OperatorError)
            assert kind.exit_code == int(number) == getattr(os, code)


def test_an_error_of_a_server_says_what_was_done_where() -> None:
    error = RemoteError("mail.example:993", "sign in", "wrong password")
    assert str(error) == "mail.example:993: sign in: wrong password"


def test_wrong_lines_are_printed_one_a_line() -> None:
    assert str(ConfigError(("a:1: x", "a:2: y"))) == "a:1: x\na:2: y"
