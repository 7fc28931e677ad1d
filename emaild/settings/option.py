"""Declaring options: a section is a frozen dataclass, an option one of its fields.

    idle_renewal: float = option(within("1m", "29m"), default="25m", help="How long one IDLE lasts ...")

Parser, default as an operator types it, help, and since when a change takes effect stand there once; the conf
file, `emaild options`, the checks and the README's table are made from them.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, cast

from emaild.settings.parse import Parser

T = TypeVar("T")
S = TypeVar("S")

METADATA = "emaild"
SECTION = "emaild_section"


class Effect(StrEnum):
    """Since when a changed option counts."""

    RELOAD = "at the reload"
    RESTART = "at the next start"


@dataclass(frozen=True, kw_only=True)
class Option:
    """The declaration of one option. `default` is None where the option must be given.

    `field` holds what was given; `in_effect` is the attribute that says what follows from it, mostly the same.
    """

    name: str
    field: str
    parser: Parser[Any]
    default: str | None
    help: str
    effect: Effect
    in_effect: str

    @property
    def required(self) -> bool:
        return self.default is None


@dataclass(frozen=True, kw_only=True)
class SectionKind:
    """The declaration of a section, or of a family of them (`[pop-client]`, `[pop-client1]`, `[pop-client-NAME]`)."""

    name: str
    help: str
    family: bool = False

    def matches(self, section: str) -> bool:
        """Whether a section of that name is of this kind. Case does not matter."""
        tail = r"(?:\d+|-.+)?" if self.family else ""
        return re.fullmatch(re.escape(self.name) + tail, section, re.IGNORECASE) is not None


def option(
    parser: Parser[T],
    *,
    default: str | None,
    help: str,
    effect: Effect = Effect.RELOAD,
    name: str | None = None,
    in_effect: str | None = None,
) -> T:
    """A field of a section's dataclass.

    `default` is read by `parser` like any value; None makes the option one that must be given. `name` is needed
    only where the INI name is not the field's with hyphens, `in_effect` where another attribute of the section says
    what counts, as for a port that follows the protocol where none is given.
    """
    metadata = {METADATA: (parser, default, help, effect, name, in_effect)}
    if default is None:
        return cast(T, dataclasses.field(metadata=metadata))
    return dataclasses.field(default=parser.read(default), metadata=metadata)


def options(section: type[Any]) -> tuple[Option, ...]:
    """What a section class declares, in the order of its fields."""
    return tuple(_declared(field) for field in dataclasses.fields(section) if METADATA in field.metadata)


def _declared(field: dataclasses.Field[Any]) -> Option:
    parser, default, help_text, effect, name, in_effect = field.metadata[METADATA]
    return Option(
        name=name or field.name.replace("_", "-"),
        field=field.name,
        parser=parser,
        default=default,
        help=help_text,
        effect=effect,
        in_effect=in_effect or field.name,
    )


def section_kind(section: type[Any]) -> SectionKind:
    """The name, help and family of a section class, as its `kind` attribute declares them."""
    return cast(SectionKind, section.kind)


def same_name(text: str) -> str:
    """What two spellings of one option name have in common: case does not matter, nor does `-` or `_`."""
    return text.strip().lower().replace("_", "-")
