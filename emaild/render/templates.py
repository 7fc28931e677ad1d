"""Our own templates: sandboxed Jinja2, the operator's file before the shipped one of the same name."""

from __future__ import annotations

from pathlib import Path
from types import CodeType
from typing import NoReturn

from jinja2 import BytecodeCache, FileSystemLoader, StrictUndefined, TemplateSyntaxError
from jinja2.bccache import Bucket
from jinja2.sandbox import ImmutableSandboxedEnvironment

from emaild.errors import InputError

MOST_KEPT = 100  # templates whose code is kept


class _Codes(BytecodeCache):
    """Keeps what templates were compiled to, each until its text changes.

    Only code is kept: what a template sets while it is rendered must not be seen by the next rendering.
    """

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self.kept.get(bucket.key, ("", None))
        bucket.code = code if checksum == bucket.checksum else None

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            if len(self.kept) >= MOST_KEPT:
                self.kept.clear()
            self.kept[bucket.key] = bucket.checksum, bucket.code


class Refused(Exception):
    """A template did more with a blank than print it; no TypeError, of which filters make a default."""


class Blank:
    """What stands for a value that is filled in later: a template can print it, and do nothing else with it.

    Whatever else it does raises `Refused`.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark

    def _refused(self, *_: object) -> NoReturn:
        raise Refused

    __str__ = __repr__ = __eq__ = __hash__ = __int__ = __float__ = __getitem__ = _refused


TEXT_CODES, HTML_CODES = _Codes(), _Codes()  # the code of a template that escapes is another


def rendered(name: str, folders: tuple[Path, ...], values: dict[str, object]) -> str:
    """The template of that name, from the first of *folders* that has it.

    What a template `….html` says of *values* is escaped, also where a template that it imports or includes says it,
    whatever the name of that one.

    Raises:
        InputError: there is none, or it is wrong.
    """
    try:
        return _environment(name, folders).get_template(name).render(values)
    except Exception as error:  # a template is an operator's code and can fail like any
        raise InputError(f"template {name}: {' '.join(str(error).split()) or type(error).__name__}") from error


def fault(source: str, name: str) -> tuple[int, str] | None:
    """What is wrong with the text of a template whatever its values are, and in which line; None: nothing is."""
    try:
        _environment(name, ()).compile(source, name)
    except TemplateSyntaxError as error:
        return error.lineno, " ".join(str(error.message).split())
    except (RecursionError, MemoryError, SyntaxError):
        return 1, "the template is nested too deep"
    return None


def _environment(name: str, folders: tuple[Path, ...]) -> ImmutableSandboxedEnvironment:
    """Made for one template: a macro escapes as the template does that the macro is written for."""
    html = name.endswith(".html")
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([str(folder) for folder in folders]),
        bytecode_cache=HTML_CODES if html else TEXT_CODES,
        autoescape=html,
        undefined=StrictUndefined,
        finalize=_printed,
        keep_trailing_newline=True,
    )


def _printed(value: object) -> object:
    return value._mark if type(value) is Blank else value
