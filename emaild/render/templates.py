"""Our own templates: sandboxed Jinja2, the operator's file before the shipped one of the same name."""

from __future__ import annotations

from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment

from emaild.errors import InputError


def rendered(name: str, folders: tuple[Path, ...], values: dict[str, object]) -> str:
    """The template of that name, from the first of *folders* that has it.

    Raises:
        InputError: there is none, or it is wrong.
    """
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([str(folder) for folder in folders]),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    try:
        return environment.get_template(name).render(values)
    except Exception as error:  # a template is an operator's code and can fail like any
        raise InputError(f"template {name}: {' '.join(str(error).split()) or type(error).__name__}") from error
