"""One JSON object a line: a section, one of its options, or a property."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from emaild.settings.describe.contents import Contents, takers
from emaild.settings.option import Option, options, section_kind
from emaild.settings.property_map import Property


def as_json(contents: Contents) -> str:
    """The lines; an option's has the key `option`, a property's `property`."""
    described = [one for kind in contents.kinds for one in _section(kind)]
    described += [_property(one) for one in contents.properties]
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in described)


def _section(kind: type[Any]) -> Iterator[dict[str, object]]:
    declared = section_kind(kind)
    spellings, entries = declared.spellings, declared.entries
    yield {"section": declared.name, "spellings": spellings, "entries": entries, "help": declared.help}
    yield from ({"section": declared.name, "option": option.name, **_option(option)} for option in options(kind))


def _property(found: Property) -> dict[str, object]:
    said = {
        "property": found.name,
        "sections": [section_kind(kind).name for kind in takers(found.group)],
        "treatment": found.treatment.value,
    }
    return {**said, **_option(found.option)} if found.option else {**said, "why": found.other and found.other.why}


def _option(option: Option) -> dict[str, object]:
    return {
        "default": option.default,
        "ours": option.ours,
        "required": option.required,
        "expects": option.parser.expects,
        "secret": option.parser.secret,
        "effect": option.effect.value,
        "idle": option.idle,
        "help": option.help,
    }
