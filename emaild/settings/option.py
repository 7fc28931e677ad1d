"""Declaring options: a section is a frozen dataclass, an option one of its fields.

    idle_renewal: float = option(within("1m", "29m"), default="25m", help="How long one IDLE lasts ...")

Parser, default as an operator types it, help, and since when a change takes effect stand there once; the conf
file, `emaild options`, the checks and the README's table are made from them.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from dataclasses import dataclass
from enum import Enum, StrEnum
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
    `ours` marks a default that is ours because Genesys's is not known. An option is read and checked and no more
    where `idle` says why it has no meaning here.
    """

    name: str
    field: str
    parser: Parser[Any]
    default: str | None
    help: str
    effect: Effect
    in_effect: str
    ours: bool
    idle: str

    @property
    def required(self) -> bool:
        return self.default is None


class Family(Enum):
    """How the names of a kind's sections end: as a pattern, and as they are written for people."""

    NONE = "", ("",)
    NUMBERED = r"(?:\d+|-.+)?", ("", "1", "-NAME")
    NAMED = r"(?:-.+)?", ("", "-NAME")
    ALWAYS_NAMED = r"-.+", ("-NAME",)
    TENANTS = r"(?::.*)?", (":NAME",)

    def __init__(self, pattern: str, endings: tuple[str, ...]) -> None:
        self.pattern = pattern
        self.endings = endings


@dataclass(frozen=True, kw_only=True)
class SectionKind:
    """The declaration of a section, or of a family of them.

    `family` says how the names of its sections go on after `name`. `entries` is what stands in a section that has
    entries of an operator's own choice instead of declared options.
    """

    name: str
    help: str
    family: Family = Family.NONE
    entries: str = ""

    def matches(self, section: str) -> bool:
        """Whether a section of that name is of this kind. Case does not matter."""
        return re.fullmatch(re.escape(self.name) + self.family.pattern, section, re.IGNORECASE) is not None

    @property
    def spellings(self) -> tuple[str, ...]:
        """How the names of its sections are written."""
        return tuple(self.name + ending for ending in self.family.endings)


def option(
    parser: Parser[T],
    *,
    default: str | None,
    help: str,
    effect: Effect = Effect.RELOAD,
    name: str | None = None,
    in_effect: str | None = None,
    ours: bool = False,
    idle: str = "",
) -> T:
    """A field of a section's dataclass.

    `default` is read by `parser` like any value; None makes the option one that must be given. `name` is needed
    only where the INI name is not the field's with hyphens, `in_effect` where another attribute of the section says
    what counts, as for a port that follows the protocol where none is given. The rest is as `Option` says.
    """
    metadata = {
        METADATA: {
            "parser": parser,
            "default": default,
            "help": help,
            "effect": effect,
            "name": name,
            "in_effect": in_effect,
            "ours": ours,
            "idle": idle,
        }
    }
    if default is None:
        return cast(T, dataclasses.field(metadata=metadata))
    return dataclasses.field(default=parser.read(default), metadata=metadata)


def options(section: type[Any]) -> tuple[Option, ...]:
    """What a section class declares: the fields that its `described_first` names, its own, those it inherits."""
    if section not in _known:
        own = list(getattr(section, "described_first", ()))
        own += [field for kind in section.__mro__ for field in inspect.get_annotations(kind)]
        fields = {field.name: field for field in dataclasses.fields(section)}
        declared = (fields[name] for name in dict.fromkeys(own) if name in fields)
        _known[section] = tuple(_declared(field) for field in declared if METADATA in field.metadata)
    return _known[section]


_known: dict[type[Any], tuple[Option, ...]] = {}  # a declaration never changes, and 1,000 sections ask


def _declared(field: dataclasses.Field[Any]) -> Option:
    said = dict(field.metadata[METADATA])
    said["name"] = said["name"] or field.name.replace("_", "-")
    said["in_effect"] = said["in_effect"] or field.name
    return Option(field=field.name, **said)


def section_kind(section: type[Any]) -> SectionKind:
    """The name, help and family of a section class, as its `kind` attribute declares them."""
    return cast(SectionKind, section.kind)


def same_name(text: str) -> str:
    """What all spellings of one option name have in common: `useProxy`, `use-proxy` and `USE_PROXY` are one."""
    return text.strip().lower().replace("_", "").replace("-", "")
