"""Values as an operator could type them."""

from __future__ import annotations

from datetime import datetime

from emaild.settings.log import Expire, Segment, startups
from emaild.settings.option import Option
from emaild.settings.secret import MASK, Secret

UNITS = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "B": 1}


def shown(value: object, option: Option | None = None) -> str:
    """A value as the parser of *option* reads it; a secret never."""
    match value:
        case None:
            return _nothing(option)
        case Secret():
            return MASK
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.3f}".rstrip("0").rstrip(".") + "s"
        case datetime():
            return value.date().isoformat()
        case tuple():
            return ", ".join(map(str, value))
        case int():
            return _number(value, option)
        case Segment() | Expire():
            return _of_log_files(value)
        case str() if value != value.strip():
            return f'"{value}"'
    return str(value)


def _nothing(option: Option | None) -> str:
    """Empty, or `false` for an option that has it so."""
    if option is None:
        return ""
    try:
        option.parser.read("")
    except ValueError:
        return "false"
    return ""


def _number(value: int, option: Option | None) -> str:
    """A number, with its unit where it counts bytes: a bare one may count in a larger unit."""
    if option is not None and option.parser is startups:
        return f"{value >> 10} KB" if value else "true"
    if option is not None and option.parser.expects.startswith("a size "):
        unit = next(unit for unit, size in UNITS.items() if (value and value % size == 0) or unit == "B")
        return f"{value // UNITS[unit]} {unit}"
    return str(value)


def _of_log_files(value: Segment | Expire) -> str:
    match value:
        case Segment(size=0):
            return f"{value.hours} hr"
        case Segment():
            return f"{value.size >> 10} KB"
        case Expire(files=0):
            return f"{value.days} day"
    return str(value.files)
