"""Our own templates: sandboxed Jinja2, the operator's file before the shipped one of the same name."""

from __future__ import annotations

from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from emaild.errors import InputError


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
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([str(folder) for folder in folders]),
        autoescape=name.endswith(".html"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
