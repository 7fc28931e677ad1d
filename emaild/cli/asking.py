"""Questions to the person at the terminal, and the secrets that a script hands in instead."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from emaild.cli.output import plain
from emaild.errors import InputError, UsageError

MOST_TRIES = 3
MARK = "\ufeff"  # that some editors put before a text
LONGEST = 4096  # characters of an answer; and bytes of a secret


class Asking:
    """Asks for what is missing, where somebody sits at the terminal; else *missing* is told as a wrong command line."""

    def __init__(self, *, anybody: bool | None = None) -> None:
        self.anybody = sys.stdin.isatty() and sys.stderr.isatty() if anybody is None else anybody

    def text(self, question: str, option: str, default: str = "", choices: Sequence[str] = ()) -> str:
        """An answer; *option* gives it in a script. An empty one is the *default*.

        Raises:
            UsageError: nobody is there to be asked, or no answer fits.
        """
        self._somebody(option)
        shown = f" ({', '.join(choices)})" if choices else ""
        shown += f" [{default}]" if default else ""
        wanted = f"one of {', '.join(choices)}" if choices else "an answer"
        for _ in range(MOST_TRIES):
            said = _line(f"{question}{shown}: ") or default
            found = next((one for one in choices if one.lower() == said.lower()), None) if choices else said
            if found:
                return found
            print(f"expected {wanted}", file=sys.stderr)
        raise UsageError(f"no answer that fits; {option} says it, too. Nothing was changed")

    def maybe(self, question: str) -> str:
        """An answer that may be empty; empty where nobody is there."""
        return _line(f"{question}: ") if self.anybody else ""

    def yes(self, question: str) -> bool:
        """Whether somebody says yes; nobody there is a no."""
        return self.anybody and _line(f"{question} [y/N] ").lower() in ("y", "yes")

    def secret(self, question: str, option: str) -> str:
        """A secret, which the terminal does not show.

        Raises:
            UsageError: nobody is there to be asked, or nothing was said.
        """
        self._somebody(option)
        try:
            said = getpass.getpass(f"{plain(question)}: ")
        except EOFError:
            said = ""
        except KeyboardInterrupt:
            _left()
            raise
        if not said:
            raise UsageError(f"nothing was said, so nothing was changed; {option} gives it in a script")
        return checked_secret(said, plain(question))

    def _somebody(self, option: str) -> None:
        if not self.anybody:
            raise UsageError(f"{option} is needed, for nobody is here to be asked")


def secret_of_file(path: Path, option: str) -> str:
    """The secret that a file holds, without the line end at its end.

    Raises:
        InputError: it cannot be read. UsageError: it holds none.
    """
    return _read(path.read_bytes, f"cannot read {path}", option)


def secret_of_input(option: str) -> str:
    """The same of standard input, all of it."""
    return _read(lambda: sys.stdin.buffer.read(LONGEST + 1), "cannot read standard input", option)


def checked_secret(text: str, option: str) -> str:
    """The secret, if a conf file's secret can be that.

    Raises:
        UsageError: it is empty, too long, of several lines, or not of text.
    """
    wrong = {
        "it is empty": not text,
        "it is longer": len(text) > LONGEST,
        "it has several lines": "\n" in text or "\r" in text,
        "it holds a NUL": "\0" in text,
    }
    if found := " and ".join(why for why, so in wrong.items() if so):
        raise UsageError(f"{option}: expected a secret in one line of at most {LONGEST} characters; {found}")
    return text


def _read(bytes_of: Callable[[], bytes], wrong: str, option: str) -> str:
    try:
        text = bytes_of().decode()
    except OSError as error:
        raise InputError(f"{wrong}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{wrong}: it is not UTF-8") from error
    return checked_secret(text.removeprefix(MARK).removesuffix("\n").removesuffix("\r"), option)


def _left() -> None:
    """Whoever goes by Ctrl-C is told what became of it, below the question."""
    print("\nemaild: nothing was changed", file=sys.stderr)


def _line(question: str) -> str:
    """One line of standard input. The question goes to standard error, for standard output is for what came of it."""
    print(plain(question), end="", file=sys.stderr, flush=True)
    try:
        said = os.fsdecode(sys.stdin.buffer.readline(LONGEST)).strip()
    except KeyboardInterrupt:
        _left()
        raise
    if not said.isprintable():
        raise UsageError("an answer holds characters that cannot be printed; nothing was changed")
    return said
