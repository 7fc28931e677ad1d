"""Our own templates: sandboxed Jinja2, the operator's file before the shipped one of the same name."""

from __future__ import annotations

from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment


def rendered(name: str, folders: tuple[Path, ...], values: dict[str, object]) -> str:
    """The template of that name, from the first of *folders* that has it."""
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([str(folder) for folder in folders]),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template(name).render(values)
