"""The services and what each is told, as two tables of Markdown."""

from __future__ import annotations

from emaild.settings.describe.markdown import table
from emaild.settings.describe.words import default
from emaild.settings.option import Option, options
from emaild.settings.services import GROUP_HELP, GROUPS, SERVICES


def services_as_markdown() -> str:
    """All services, and all parameters with the services that have them."""
    services = [(one.kind.name, ", ".join(one.aliases), one.kind.help) for one in SERVICES]
    rows: dict[tuple[str, ...], list[str]] = {}
    for service in SERVICES:
        for parameter in options(service):
            rows.setdefault(_cells(parameter), []).append(service.kind.name)
        for group, text in GROUP_HELP.items():
            if GROUPS[group] in service.__dataclass_fields__:
                rows.setdefault((f"{group}.NAME", "empty", "text", text), []).append(service.kind.name)
    told = [(*cells, _whose(names)) for cells, names in rows.items()]
    lines = table(("service", "also known as", "what it does"), services)
    lines += table(("parameter", "default", "expects", "meaning", "of"), told)
    return "\n".join(lines)


def _cells(parameter: Option) -> tuple[str, ...]:
    return parameter.name, default(parameter), parameter.parser.expects, parameter.help


def _whose(names: list[str]) -> str:
    """Which services have it, in as few words as it takes."""
    missing = [one.kind.name for one in SERVICES if one.kind.name not in names]
    if not missing:
        return "all"
    return ", ".join(names) if len(names) <= len(missing) else f"all but {', '.join(missing)}"
